import { createHash } from 'node:crypto';
import type { JobResult, LogLine, OperationName } from '@dbox/contracts';
import { LEASE_DURATION_MS, ProblemError } from '@dbox/contracts';
import { parseLines } from './agent-routes.ts';
import { toJob } from './fake-job.ts';
import type { FakeRoute } from './fake-state.ts';
import { jobOf, requireLease } from './require-token.ts';

/** Calls made with a job's token. */
export const jobRoutes: Partial<Record<OperationName, FakeRoute>> = {
  heartbeatJob(request, state) {
    const job = requireLease(request, state);
    job.beatCount += 1;
    const expiresAt = new Date(Date.now() + LEASE_DURATION_MS).toISOString();
    return { json: { order: job.cancelling ? 'cancel' : 'continue', expiresAt } };
  },

  sendJobLogs(request, state) {
    requireLease(request, state).logs.push(...parseLines<LogLine>(request));
    return null;
  },

  reportProgress(request, state) {
    requireLease(request, state).progress.push(request.json as { action: string });
    return null;
  },

  putArtifact(request, state) {
    const job = requireLease(request, state);
    const name = request.params.name!;
    const sha256 = createHash('sha256').update(request.bytes).digest('hex');
    if (request.headers['x-content-sha256'] !== sha256) {
      throw new ProblemError('artifact_mismatch', `${name} has the hash ${sha256}`);
    }
    const mediaType = request.headers['content-type'] ?? '';
    job.artifacts.set(name, { bytes: request.bytes, mediaType });
    const { id, taskId } = toJob(job);
    const size = { sizeBytes: request.bytes.length, createdAt: job.createdAt };
    return { json: { id: state.makeId('art'), jobId: id, taskId, name, sha256, mediaType, ...size } };
  },

  async getJobSource(request, state) {
    const { source } = requireLease(request, state);
    return source === null ? null : { bytes: await state.repository.bundle(source.commit, source.also) };
  },

  getJobAttachment(request, state) {
    const { attachment } = requireLease(request, state);
    if (attachment === null) throw new ProblemError('not_found', 'nothing was recorded for this attempt');
    return { json: attachment };
  },

  async putJobCommit(request, state) {
    const job = requireLease(request, state);
    const commit = await state.repository.receive(request.bytes, job.source?.commit ?? null);
    // The lease may have gone while the bundle was read.
    requireLease(request, state);
    job.commits.push(commit);
    return { json: { commit } };
  },

  completeJob(request, state) {
    const job = jobOf(request, state);
    const result = request.json as JobResult;
    const isRepeat =
      job.resultToken === request.token && JSON.stringify(job.result) === JSON.stringify(result);
    if (!isRepeat) {
      requireLease(request, state);
      if (result.kind === 'code' && result.outcome === 'succeeded' && !job.commits.includes(result.commit)) {
        throw new ProblemError('conflict', `${result.commit} was never uploaded`);
      }
      job.result = result;
      job.resultToken = request.token;
      job.token = null;
      job.status = result.outcome;
    }
    return { json: { job: toJob(job) } };
  },
};
