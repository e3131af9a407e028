import { z } from 'zod';
import { CheckId, ProjectName, TaskId } from './names.ts';
import { OUTCOMES } from './statuses.ts';

/** An address of the project itself must answer so. `path` begins with `/`; the host is always the project's own. */
export const HttpCriterion = z.object({
  kind: z.literal('http'),
  path: z.string(),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']),
  headers: z.record(z.string(), z.string()),
  body: z.string().nullable(),
  /** Allowed status codes; the default is 200. */
  statuses: z.array(z.int().min(100).max(599)),
  contains: z.array(z.string()),
  /** RE2 syntax, so a check cannot hang its prober. */
  matches: z.array(z.string()),
  /** Dotted path → expected value, e.g. `items.0.name`. */
  json: z.record(z.string(), z.json()),
  maxLatencyMs: z.int().positive().nullable(),
});
/** A command in a clean checkout must end with this exit code. It gates; it is not run again as a monitor. */
export const CommandCriterion = z.object({
  kind: z.literal('command'),
  run: z.string(),
  exitCode: z.int().min(0).max(255),
});
/** No line of the release's output may match. RE2 syntax. */
export const LogCriterion = z.object({ kind: z.literal('log'), mustNotMatch: z.string() });
export const Criterion = z.discriminatedUnion('kind', [HttpCriterion, CommandCriterion, LogCriterion]);

/**
 * A compiled acceptance criterion. Given to the coder as context, it gates the release, and then
 * watches it, until a later plan retires it by id.
 */
export const Check = z.object({
  id: CheckId,
  project: ProjectName,
  taskId: TaskId,
  criterion: Criterion,
  /** `proposed` until its task is delivered; only `live` checks watch. */
  status: z.enum(['proposed', 'live', 'retired']),
});

export const CheckResult = z.object({
  id: CheckId,
  outcome: z.enum(OUTCOMES),
  /** One sentence: what was expected and what was seen. */
  detail: z.string(),
  latencyMs: z.number().nullable(),
});

export type HttpCriterion = z.infer<typeof HttpCriterion>;
export type CommandCriterion = z.infer<typeof CommandCriterion>;
export type LogCriterion = z.infer<typeof LogCriterion>;
export type Criterion = z.infer<typeof Criterion>;
export type Check = z.infer<typeof Check>;
export type CheckResult = z.infer<typeof CheckResult>;
