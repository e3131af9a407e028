import { z } from 'zod';
import { EnvironmentName, Instant, MadeId, ProjectName } from './names.ts';
import { INCIDENT_STATUSES } from './statuses.ts';

/** One deduplicated problem of a live release. */
export const Incident = z.object({
  id: MadeId,
  project: ProjectName,
  environment: EnvironmentName,
  releaseId: MadeId,
  /** What is the same about repeats of this problem: a check id, or `process`. */
  fingerprint: z.string(),
  status: z.enum(INCIDENT_STATUSES),
  detail: z.string(),
  /** What the box did about it, oldest first. */
  actions: z.array(z.object({ at: Instant, action: z.string(), detail: z.string() })),
  openedAt: Instant,
  resolvedAt: Instant.nullable(),
});
export type Incident = z.infer<typeof Incident>;
