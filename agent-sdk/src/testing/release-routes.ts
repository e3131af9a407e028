import type {
  BodyInput,
  LogLine,
  OperationName,
  ReleaseObservation,
  TopologyAck,
  WatchReport,
} from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { parseLines } from './agent-routes.ts';
import type { FakeRoute } from './fake-state.ts';
import { requireAgentToken } from './require-token.ts';

/** Calls about releases and their traffic. */
export const releaseRoutes: Partial<Record<OperationName, FakeRoute>> = {
  ackTopology(request, state) {
    requireAgentToken(request);
    state.topologyAcks.push(request.json as TopologyAck);
    return null;
  },

  reportTraffic(request, state) {
    requireAgentToken(request);
    state.traffic.push(request.json as BodyInput<'reportTraffic'>);
    return null;
  },

  async getReleaseSource(request, state) {
    requireAgentToken(request);
    const commit = state.releaseSources.get(request.params.releaseId!);
    if (commit === undefined) throw new ProblemError('not_found', 'there is no such release');
    return { bytes: await state.repository.bundle(commit) };
  },

  getReleaseSettings(request, state) {
    requireAgentToken(request);
    const settings = state.releaseSettings.get(request.params.releaseId!);
    if (settings === undefined) throw new ProblemError('not_found', 'there is no such release');
    return { json: settings };
  },

  reportUsage(request, state) {
    requireAgentToken(request);
    state.usage.push(...(request.json as BodyInput<'reportUsage'>).releases);
    return null;
  },

  observeRelease(request, state) {
    requireAgentToken(request);
    state.observations.push(request.json as ReleaseObservation);
    return null;
  },

  sendReleaseLogs(request, state) {
    requireAgentToken(request);
    const releaseId = request.params.releaseId!;
    state.releaseLogs.push(...parseLines<LogLine>(request).map((line) => ({ ...line, releaseId })));
    return null;
  },

  reportWatch(request, state) {
    requireAgentToken(request);
    state.watchReports.push(request.json as WatchReport);
    return null;
  },

  readLogs(request, state) {
    requireAgentToken(request);
    const subject = request.query.get('subject') ?? '';
    const lines = (state.logs.get(subject) ?? []).map((line) => ({ ...line, source: subject }));
    const from = Number(request.query.get('after') ?? 0);
    return { json: { lines: lines.slice(from), next: String(lines.length), ended: false } };
  },
};
