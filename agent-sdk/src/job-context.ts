import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Client, Lease, RawBytes } from '@dbox/contracts';
import { MAX_ARTIFACT_BYTES, ProblemError } from '@dbox/contracts';
import type { HandledKind, JobContext, PayloadOf } from './agent.ts';
import type { Clock } from './clock.ts';
import { JobFailure } from './job-failure.ts';
import { bundleHead, bundlePath, layOutBundle, makeEmptyRepository, saveBody } from './job-source.ts';
import { linesOf } from './log-lines.ts';
import type { LogShipper } from './log-shipper.ts';
import { callManager } from './manager-client.ts';

/** Longer than a manager's restart or a full disk's clean-up; past it the job is better repeated elsewhere. */
const GIVE_UP_AFTER_MS = 60_000;

export function createJobContext<K extends HandledKind>(o: {
  readonly lease: Lease;
  /** With the job's token. */
  readonly client: Client;
  readonly scratchDir: string;
  readonly signal: AbortSignal;
  readonly shipper: LogShipper;
  readonly clock: Clock;
}): JobContext<K> {
  const { client, signal, clock, scratchDir } = o;
  const { job } = o.lease;
  const payload = o.lease.payload as PayloadOf<K>;
  const params = { jobId: job.id };
  const tree = join(scratchDir, 'src');

  const reliably = <T>(attempt: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    callManager(() => attempt(signal), { caller: 'job', signal, giveUpAfterMs: GIVE_UP_AFTER_MS, clock });

  return {
    job,
    payload,
    scratchDir,
    signal,

    log(stream, text) {
      if (signal.aborted) return;
      const at = new Date(clock.now()).toISOString();
      for (const line of linesOf(text)) o.shipper.push(JSON.stringify({ at, stream, text: line }));
    },

    async progress(action, phase) {
      const body = { action: action.slice(0, 500), ...(phase === undefined ? {} : { phase }) };
      await reliably((signal) => client.call('reportProgress', { params, body, signal }));
    },

    async checkOut(options) {
      const commit = options?.commit ?? commitOf(o.lease);
      if (commit === null) {
        await makeEmptyRepository(tree, signal);
        return tree;
      }
      const bundleFile = bundlePath(scratchDir, 'source');
      const isEmpty = await reliably(async (signal) => {
        const response = await client.raw('getJobSource', { params, signal });
        if (response.status === 204 || response.body === null) return true;
        await saveBody(response.body, bundleFile, signal);
        return false;
      });
      if (isEmpty) throw new JobFailure('host', `the manager has no source for ${commit}`);
      await layOutBundle({ bundleFile, tree, commit, signal });
      return tree;
    },

    async uploadCommit(from, since) {
      const bundleFile = bundlePath(scratchDir, 'commit');
      const commit = await bundleHead({ tree: from, since, bundleFile, signal });
      const answer = await reliably((signal) =>
        client.call('putJobCommit', { params, rawBody: streamFile(bundleFile), signal }),
      ).catch(asJobFailure);
      if (answer?.commit !== commit) {
        throw new JobFailure('host', `the manager confirmed ${answer?.commit} instead of ${commit}`);
      }
      return commit;
    },

    async uploadArtifact(name, file, mediaType) {
      const { size } = await stat(file);
      if (size > MAX_ARTIFACT_BYTES) {
        throw new JobFailure(
          'commit',
          `artifact ${name} has ${size} bytes; the most is ${MAX_ARTIFACT_BYTES}`,
        );
      }
      const headers = { 'content-type': mediaType, 'x-content-sha256': await hashFile(file, signal) };
      await reliably((signal) =>
        client.call('putArtifact', {
          params: { ...params, name },
          headers,
          rawBody: streamFile(file),
          signal,
        }),
      ).catch(asJobFailure);
    },

    async readAttachment() {
      return await reliably(async (signal) => {
        try {
          return await client.call('getJobAttachment', { params, signal });
        } catch (error) {
          // Here 404 is an answer; a lease that is gone is told by 401 or 409.
          if (error instanceof ProblemError && error.code === 'not_found') return null;
          throw error;
        }
      });
    },
  };
}

function commitOf(lease: Lease): string | null {
  const { payload } = lease;
  switch (payload.kind) {
    case 'code':
      return payload.startCommit;
    case 'test':
    case 'deploy':
      return payload.commit;
    case 'check':
      throw new JobFailure('host', 'a check job has no source');
  }
}

/** What the manager refuses to take lies in the bytes, so another attempt may mend it. */
function asJobFailure(error: unknown): never {
  if (
    error instanceof ProblemError &&
    (error.code === 'bundle_refused' ||
      error.code === 'payload_too_large' ||
      error.code === 'artifact_mismatch')
  ) {
    throw new JobFailure('commit', error.message, { cause: error });
  }
  throw error;
}

/** Opened anew for each try. */
function streamFile(file: string): RawBytes {
  return Readable.toWeb(createReadStream(file)) as unknown as RawBytes;
}

async function hashFile(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { signal })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
