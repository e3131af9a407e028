import type { Attachment, Job, JobPayload, JobResult, Lease, LogLine } from '@dbox/contracts';
import type { WaitingRoom } from './waiting-room.ts';

export interface FakeArtifact {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/** One job as the fake manager knows it. Tests read its fields and call its verbs. */
export interface FakeJob {
  readonly id: string;
  readonly payload: JobPayload;
  status: Job['status'];
  fence: number;
  readonly leases: readonly Lease[];
  readonly logs: readonly LogLine[];
  readonly progress: readonly { readonly action: string; readonly phase?: string | undefined }[];
  readonly artifacts: ReadonlyMap<string, FakeArtifact>;
  /** Every commit that was taken in, oldest first. */
  readonly commits: readonly string[];
  readonly result: JobResult | null;
  readonly beatCount: number;
  /** Resolves with the result once it was taken in. */
  readonly finished: Promise<JobResult>;
  /** Resolves with the n-th lease (from 1). */
  leased(n?: number): Promise<Lease>;
  /** Resolves with the line of the job's log that holds this text. */
  logged(text: string): Promise<LogLine>;
  /** As a manager that heard nothing for a whole lease: the token dies, the job is queued for the next one. */
  loseLease(): void;
  /** The next heartbeat is answered with the order to cancel. */
  cancel(): void;
}

export interface FakeJobState extends FakeJob {
  token: string | null;
  status: Job['status'];
  fence: number;
  cancelling: boolean;
  /** Which lease's token the result came under. */
  resultToken: string | null;
  readonly project: string;
  readonly taskId: string | null;
  beatCount: number;
  result: JobResult | null;
  readonly createdAt: string;
  readonly source: { readonly commit: string; readonly also: readonly string[] } | null;
  readonly attachment: Attachment | null;
  readonly leases: Lease[];
  readonly logs: LogLine[];
  readonly progress: { action: string; phase?: string | undefined }[];
  readonly artifacts: Map<string, FakeArtifact>;
  readonly commits: string[];
}

export function createFakeJob(o: {
  readonly id: string;
  readonly payload: JobPayload;
  readonly project: string;
  readonly taskId: string | null;
  readonly createdAt: string;
  readonly source: FakeJobState['source'];
  readonly attachment: Attachment | null;
  readonly room: WaitingRoom;
  readonly onRequeued: () => void;
}): FakeJobState {
  const { until } = o.room;
  const job: FakeJobState = {
    id: o.id,
    payload: o.payload,
    createdAt: o.createdAt,
    source: o.source,
    attachment: o.attachment,
    status: 'queued',
    fence: 0,
    token: null,
    cancelling: false,
    resultToken: null,
    project: o.project,
    taskId: o.taskId,
    beatCount: 0,
    result: null,
    leases: [],
    logs: [],
    progress: [],
    artifacts: new Map(),
    commits: [],
    get finished() {
      return until(() => job.result);
    },
    leased: (n = 1) => until(() => job.leases[n - 1]),
    logged: (text) => until(() => job.logs.find((line) => line.text.includes(text))),
    loseLease() {
      job.token = null;
      job.status = 'queued';
      o.onRequeued();
    },
    cancel() {
      job.cancelling = true;
    },
  };
  return job;
}

export function toJob(job: FakeJobState): Job {
  return {
    id: job.id,
    kind: job.payload.kind,
    project: job.project,
    taskId: job.taskId,
    releaseId: job.payload.kind === 'deploy' || job.payload.kind === 'check' ? job.payload.releaseId : null,
    status: job.status,
    fence: job.fence,
    agentId: null,
    leaseExpiresAt: null,
    createdAt: job.createdAt,
    finishedAt: null,
  };
}
