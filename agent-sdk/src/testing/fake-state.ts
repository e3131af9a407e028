import type { IncomingMessage } from 'node:http';
import type {
  Answer,
  BodyInput,
  LogLine,
  OperationName,
  ReleaseObservation,
  ReleaseUsage,
  Topology,
  TopologyAck,
  WatchReport,
} from '@dbox/contracts';
import { ProblemError, ROUTES } from '@dbox/contracts';
import type { FakeJobState } from './fake-job.ts';
import type { FakeRepository } from './fake-repository.ts';
import type { WaitingRoom } from './waiting-room.ts';

export type ReleaseSettings = NonNullable<Answer<'getReleaseSettings'>>;

/** What the routes share. */
export interface FakeState {
  readonly room: WaitingRoom;
  readonly repository: FakeRepository;
  readonly jobs: FakeJobState[];
  readonly agents: (BodyInput<'registerAgent'> & { readonly id: string })[];
  readonly knownAgentIds: Set<string>;
  readonly agentLogs: Record<string, unknown>[];
  readonly observations: (ReleaseObservation & { readonly releaseId: string })[];
  readonly releaseLogs: (LogLine & { readonly releaseId: string })[];
  readonly watchReports: WatchReport[];
  readonly topologyAcks: TopologyAck[];
  readonly traffic: BodyInput<'reportTraffic'>[];
  readonly releaseSources: Map<string, string>;
  readonly releaseSettings: Map<string, ReleaseSettings>;
  readonly usage: ReleaseUsage[];
  readonly logs: Map<string, LogLine[]>;
  topology: Topology;
  makeId(prefix: string): string;
}
export interface FakeRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly token: string;
  readonly headers: IncomingMessage['headers'];
  /** The parsed and checked JSON body, where the route has one. */
  readonly json: unknown;
  readonly bytes: Buffer;
  /** Aborted when whoever asks has hung up. */
  readonly hungUp: AbortSignal;
}
export type FakeAnswer = { readonly json: unknown } | { readonly bytes: Uint8Array } | null;
export type FakeRoute = (request: FakeRequest, state: FakeState) => Promise<FakeAnswer> | FakeAnswer;

/** The JSON body as the contracts have it; null for a route that takes none. */
export function parseBody(operation: OperationName, bytes: Buffer): unknown {
  const { body } = ROUTES[operation] as { body?: unknown };
  if (typeof body !== 'object' || body === null) return null;
  const schema = body as { safeParse(value: unknown): { success: boolean; data?: unknown; error?: Error } };
  const parsed = schema.safeParse(JSON.parse(bytes.toString('utf8')));
  if (!parsed.success) throw new ProblemError('invalid_request', `${operation}: ${parsed.error?.message}`);
  return parsed.data;
}
