import { z } from 'zod';
import { Agent } from './agent.ts';
import { Incident } from './incident.ts';
import { Commit, EnvironmentName, MadeId, ProjectName, TaskId } from './names.ts';
import { ENGINES, HEALTHS, RELEASE_STATUSES, STORY_STATUSES, TASK_STATUSES } from './statuses.ts';
import { Story } from './story.ts';
import { ReleaseUsage } from './topology.ts';

/** The answer of `run` and `story --follow`: scripts rely on this shape. */
export const StoryReport = z.object({
  story: z.object({
    id: MadeId,
    status: z.enum(STORY_STATUSES),
    text: z.string(),
    reason: z.string().nullable(),
  }),
  project: z.object({ name: ProjectName }),
  /** An address any program can open; null until something is live. */
  url: z.string().nullable(),
  tasks: z.array(
    z.object({
      id: TaskId,
      title: z.string(),
      status: z.enum(TASK_STATUSES),
      reason: z.string().nullable(),
      attemptCount: z.int(),
      commit: Commit.nullable(),
      engine: z.enum(ENGINES).nullable(),
    }),
  ),
  /** From the story's submission until it settled, or until now. */
  elapsedMs: z.int(),
});

export const BoxInfo = z.object({
  version: z.string(),
  mode: z.enum(['process', 'docker']),
  url: z.string(),
  pid: z.int(),
  workspace: z.string(),
  /** What a person should know: no sandbox, little disk space, a port that was taken. */
  warnings: z.array(z.string()),
});

/** The answer of `status`. */
export const StatusReport = z.object({
  box: BoxInfo,
  projects: z.array(
    z.object({
      name: ProjectName,
      environments: z.array(
        z.object({
          name: EnvironmentName,
          url: z.string(),
          health: z.enum(HEALTHS),
          /** Null while nothing is live. */
          release: z.object({ id: MadeId, commit: Commit, status: z.enum(RELEASE_STATUSES) }).nullable(),
          /** The engine that made what is live. */
          engine: z.enum(ENGINES).nullable(),
          /** What is live uses now; null where nobody tells. */
          usage: ReleaseUsage.omit({ releaseId: true }).nullable(),
          /** What is wrong with it and not over yet; null where nothing is. */
          incident: Incident.pick({ id: true, status: true, detail: true }).nullable(),
        }),
      ),
    }),
  ),
  stories: z.array(Story.pick({ id: true, status: true, project: true, text: true, reason: true })),
  agents: z.array(Agent.pick({ id: true, kind: true, name: true, state: true, lastSeenAt: true })),
});

export const LedgerReport = z.object({
  ok: z.boolean(),
  count: z.int(),
  headSeq: z.int(),
  headHash: z.string(),
  /** The first thing that is wrong, or null. */
  problem: z.string().nullable(),
});

export type StoryReport = z.infer<typeof StoryReport>;
export type BoxInfo = z.infer<typeof BoxInfo>;
export type StatusReport = z.infer<typeof StatusReport>;
export type LedgerReport = z.infer<typeof LedgerReport>;
