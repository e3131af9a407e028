import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { ARTIFACT_NAME_PATTERN, MADE_ID_PATTERN, ProblemError, TASK_ID_PATTERN } from '@dbox/contracts';
import type { ArtifactStore } from '../../ports/artifact-store.ts';
import { errorCode, isDiskFull, isMissing, makeDirectory, NEW_FILE, syncDirectory } from '../durable-file.ts';

/** An upload is over within minutes; what is older was left behind by a box that was killed. */
const LEFTOVER_AGE_MS = 24 * 60 * 60 * 1000;

interface Place {
  readonly id: string;
  readonly taskId: string | null;
  readonly name: string;
}

/**
 * Artifacts as files: `tasks/<taskId>/artifacts/<id>-<name>`, or `artifacts/<id>-<name>` without a
 * task. A file is under its name only when all of it was received, verified and is durable.
 */
export function createArtifactStore(options: { readonly workspace: string }): ArtifactStore {
  const { workspace } = options;
  const incoming = join(workspace, 'artifacts', '.incoming');
  let prepared: Promise<void> | null = null;

  const prepare = () => {
    prepared ??= prepareIncoming(incoming).catch((error: unknown) => {
      prepared = null;
      throw error;
    });
    return prepared;
  };

  return {
    async put({ id, taskId, name, body, expectedSha256, maxBytes }) {
      const place = locate(workspace, { id, taskId, name });
      const temporary = join(incoming, `${id}-${randomBytes(6).toString('hex')}`);
      try {
        await prepare();
        const file = await open(temporary, NEW_FILE, 0o644);
        let received: Received;
        try {
          received = await receive(body, file, { name, maxBytes });
          await file.sync();
        } finally {
          await file.close();
        }
        if (received.sha256 !== expectedSha256) {
          const detail = `The bytes of artifact ${name} have the SHA-256 ${received.sha256}, but ${expectedSha256} was announced. Send it again.`;
          throw new ProblemError('artifact_mismatch', detail);
        }
        await makeDirectory(place.directory);
        await rename(temporary, place.file);
        await syncDirectory(place.directory);
        return { sizeBytes: received.sizeBytes };
      } catch (error) {
        await rm(temporary, { force: true });
        if (!isDiskFull(error)) throw error;
        const detail = `The disk is full, so artifact ${name} was not kept. Free some space, then send it again.`;
        throw new ProblemError('disk_full', detail, { cause: error });
      }
    },

    async open(artifact) {
      const { file } = locate(workspace, artifact);
      const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
        if (isMissing(error) || errorCode(error) === 'ELOOP') throw gone(artifact);
        throw error;
      });
      if (!(await handle.stat()).isFile()) {
        await handle.close();
        throw gone(artifact);
      }
      return handle.createReadStream();
    },

    async remove(artifact) {
      await rm(locate(workspace, artifact).file, { force: true });
    },
  };
}

interface Received {
  readonly sizeBytes: number;
  readonly sha256: string;
}

async function receive(
  body: Readable,
  file: FileHandle,
  { name, maxBytes }: { readonly name: string; readonly maxBytes: number },
): Promise<Received> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const part of body) {
    const chunk = typeof part === 'string' ? Buffer.from(part) : (part as Uint8Array);
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) {
      const detail = `Artifact ${name} is larger than ${maxBytes} bytes. Keep a smaller file, or a part of it.`;
      throw new ProblemError('payload_too_large', detail);
    }
    hash.update(chunk);
    await file.writeFile(chunk);
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

async function prepareIncoming(incoming: string): Promise<void> {
  await mkdir(incoming, { recursive: true });
  const before = Date.now() - LEFTOVER_AGE_MS;
  for (const name of await readdir(incoming)) {
    const file = join(incoming, name);
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (mtimeMs < before) await rm(file, { recursive: true, force: true });
  }
}

/** Names were checked where they came in; checked again, since here they become a path. */
function locate(workspace: string, place: Place): { directory: string; file: string } {
  if (!ARTIFACT_NAME_PATTERN.test(place.name)) {
    const detail = `The artifact name ${JSON.stringify(place.name.slice(0, 120))} cannot be used. Begin with a letter or digit, then up to 99 of A-Z a-z 0-9 . _ -`;
    throw new ProblemError('invalid_request', detail);
  }
  if (!MADE_ID_PATTERN.test(place.id)) throw new Error(`no artifact id: ${JSON.stringify(place.id)}`);
  if (place.taskId !== null && !TASK_ID_PATTERN.test(place.taskId)) {
    throw new Error(`no task id: ${JSON.stringify(place.taskId)}`);
  }
  const directory =
    place.taskId === null
      ? join(workspace, 'artifacts')
      : join(workspace, 'tasks', place.taskId, 'artifacts');
  return { directory, file: join(directory, `${place.id}-${place.name}`) };
}

function gone(place: Place): ProblemError {
  return new ProblemError('not_found', `The file of artifact ${place.id} (${place.name}) is no longer kept.`);
}
