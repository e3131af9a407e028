import { z } from 'zod';
import { Instant, MadeId, TaskId } from './names.ts';

export const Artifact = z.object({
  id: MadeId,
  jobId: MadeId,
  taskId: TaskId.nullable(),
  name: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.int(),
  mediaType: z.string(),
  createdAt: Instant,
});
export type Artifact = z.infer<typeof Artifact>;
export const MAX_ARTIFACT_BYTES = 64 * 1024 * 1024;
export const MAX_BUNDLE_BYTES = 256 * 1024 * 1024;
