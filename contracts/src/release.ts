import { z } from 'zod';
import { CheckResult } from './check.ts';
import { Commit, EnvironmentName, Instant, MadeId, ProjectName, TaskId } from './names.ts';
import { RunPlan } from './project.ts';
import { RELEASE_STATUSES } from './statuses.ts';

/** Where a running release can be reached by the gateway and by probes; never a public address. */
export const Target = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('socket'), path: z.string() }),
  z.object({ kind: z.literal('tcp'), host: z.string(), port: z.int().min(1).max(65535) }),
]);

export const ImageDigest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

export const Release = z.object({
  id: MadeId,
  project: ProjectName,
  environment: EnvironmentName,
  commit: Commit,
  /** The task whose candidate its commit is; null for a release that no task asked for. */
  taskId: TaskId.nullable(),
  status: z.enum(RELEASE_STATUSES),
  runPlan: RunPlan,
  /** Which version of its environment's settings it runs with; 0 where there were none yet. */
  settingsVersion: z.int().min(0),
  /** The engine's digest of what was built (`sha256:…`), to run exactly that again; null where releases are no containers. */
  image: ImageDigest.nullable(),
  /** What the smoke test said, and why it was refused or rolled back. */
  checks: z.array(CheckResult),
  reason: z.string().nullable(),
  createdAt: Instant,
  /** When it last took the traffic. */
  liveAt: Instant.nullable(),
});

export type Target = z.infer<typeof Target>;
export type Release = z.infer<typeof Release>;
