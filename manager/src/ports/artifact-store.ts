import type { Readable } from 'node:stream';

/** The bytes of artifacts, below `tasks/<taskId>/artifacts/` where there is a task. */
export interface ArtifactStore {
  /**
   * Streams to disk; throws `ProblemError` `payload_too_large` or `artifact_mismatch` and leaves
   * nothing behind then. The file is durable when this resolves.
   */
  put(input: {
    id: string;
    taskId: string | null;
    name: string;
    body: Readable;
    expectedSha256: string;
    maxBytes: number;
  }): Promise<{ sizeBytes: number }>;
  open(input: { id: string; taskId: string | null; name: string }): Promise<Readable>;
  remove(input: { id: string; taskId: string | null; name: string }): Promise<void>;
}
