import type { Readable } from 'node:stream';
import type { Artifact } from '@dbox/contracts';
import { ARTIFACT_NAME_PATTERN, MAX_ARTIFACT_BYTES, ProblemError } from '@dbox/contracts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';
import { loadHeldJob } from './job-steps.ts';
import { toWireArtifact } from './views.ts';

/** Bytes first, then the record; a lease lost in between leaves neither. */
export async function storeArtifact(
  context: AppContext,
  claim: { readonly jobId: string; readonly fence: number },
  artifact: {
    readonly name: string;
    readonly sha256: string | undefined;
    readonly mediaType: string;
    readonly body: Readable;
  },
): Promise<Artifact> {
  const { name, sha256 } = artifact;
  if (!ARTIFACT_NAME_PATTERN.test(name)) {
    throw new ProblemError(
      'invalid_request',
      'an artifact name is a letter or digit and up to 99 of A-Z a-z 0-9 . _ -, without slashes',
    );
  }
  if (sha256 === undefined || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new ProblemError('invalid_request', 'send the SHA-256 of the bytes, in hex, as X-Content-SHA256');
  }
  const job = await context.store.read((reader) => loadHeldJob(reader, claim));
  const file = { id: context.ids.next('art'), taskId: job.taskId, name };
  const { sizeBytes } = await context.artifacts.put({
    ...file,
    body: artifact.body,
    expectedSha256: sha256,
    maxBytes: MAX_ARTIFACT_BYTES,
  });
  try {
    return await transact(context, async (tx) => {
      await loadHeldJob(tx, claim);
      const inserted = await tx.artifacts.insert({
        id: file.id,
        jobId: job.id,
        taskId: job.taskId,
        name,
        sha256,
        sizeBytes,
        mediaType: artifact.mediaType,
        createdAt: now(context),
        project: job.project,
        version: 1,
      });
      await record(context, tx, {
        actor: `agent/${job.agentId}`,
        type: 'artifact.stored',
        subject: `job/${job.id}`,
        data: { artifact: file.id, name, sha256, sizeBytes, task: job.taskId },
      });
      return toWireArtifact(inserted);
    });
  } catch (error) {
    await context.artifacts.remove(file);
    throw error;
  }
}
