import { z } from 'zod';
import { Commit, Instant, MadeId, ProjectName, TaskId } from './names.ts';
import { ENGINES, TASK_STATUSES } from './statuses.ts';
import { TaskSpec } from './task-spec.ts';
import { Verdict } from './verdict.ts';

export const Attempt = z.object({
  n: z.int().positive(),
  /** What the coder started from. */
  baseCommit: Commit.nullable(),
  commit: Commit.nullable(),
  engine: z.enum(ENGINES).nullable(),
  /** Null while nothing was said yet. */
  verdict: Verdict.nullable(),
  /** Why the coder itself failed, where it did. */
  failure: z.string().nullable(),
  startedAt: Instant,
  finishedAt: Instant.nullable(),
});

export const Task = z.object({
  id: TaskId,
  storyId: MadeId,
  project: ProjectName,
  title: z.string(),
  status: z.enum(TASK_STATUSES),
  /** Why it is `blocked` or `failed` and what to do next. */
  reason: z.string().nullable(),
  /** For `blocked`: where `retry` goes on. */
  resumesTo: z.enum(TASK_STATUSES).nullable(),
  dependsOn: z.array(TaskId),
  attemptCount: z.int(),
  commit: Commit.nullable(),
  engine: z.enum(ENGINES).nullable(),
  createdAt: Instant,
  updatedAt: Instant,
});

export const TaskDetail = Task.extend({
  spec: TaskSpec,
  attempts: z.array(Attempt),
  releaseIds: z.array(MadeId),
});

export type Attempt = z.infer<typeof Attempt>;
export type Task = z.infer<typeof Task>;
export type TaskDetail = z.infer<typeof TaskDetail>;
