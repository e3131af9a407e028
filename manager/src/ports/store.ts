import type { Event, JobKind } from '@dbox/contracts';
import type {
  AgentRecord,
  ArtifactRecord,
  CheckRecord,
  EnvironmentRecord,
  IdempotencyRecord,
  IncidentRecord,
  JobRecord,
  ProjectRecord,
  ReleaseRecord,
  SettingsKey,
  SettingsRecord,
  StoryRecord,
  TaskRecord,
  TokenRecord,
} from './records.ts';
import type { StoreSnapshot } from './store-snapshot.ts';

/** Another transaction saved the record since it was loaded. The use case may be tried again from its start. */
export class VersionConflictError extends Error {
  override readonly name = 'VersionConflictError';
}
/** A unique key is taken. */
export class DuplicateKeyError extends Error {
  override readonly name = 'DuplicateKeyError';
}

/** `insert` expects version 1 and throws `DuplicateKeyError`; `save` expects the loaded version and stores it plus one. */
export interface Table<R, K = string> {
  get(key: K): Promise<R | null>;
  insert(record: R): Promise<R>;
  /** Returns the record with its new version. */
  save(record: R): Promise<R>;
}

export interface EventDraft {
  readonly at: string;
  readonly actor: string;
  readonly type: string;
  readonly subject: string;
  readonly data: Event['data'];
}

export interface StoreReader {
  readonly stories: Pick<Table<StoryRecord>, 'get'> & {
    /** Newest first. */
    list(query: { project?: string | undefined; limit: number }): Promise<StoryRecord[]>;
    /** Stories that still move: `received`, `planning`, `running`. */
    listMoving(): Promise<StoryRecord[]>;
  };
  readonly tasks: Pick<Table<TaskRecord>, 'get'> & {
    list(query: {
      project?: string | undefined;
      storyId?: string | undefined;
      limit: number;
    }): Promise<TaskRecord[]>;
    /** In the order of creation. */
    listOfStory(storyId: string): Promise<TaskRecord[]>;
    listOfProject(project: string): Promise<TaskRecord[]>;
    /** Tasks of all projects with integration `waiting`, in `integrationOrder`. */
    listWaiting(): Promise<TaskRecord[]>;
    /** Tasks in status `created`, in the order of creation. */
    listCreated(): Promise<TaskRecord[]>;
  };
  readonly projects: Pick<Table<ProjectRecord>, 'get'> & {
    /** Without the removed ones, in the order of creation. */
    list(): Promise<ProjectRecord[]>;
  };
  readonly environments: Pick<Table<EnvironmentRecord, { project: string; name: string }>, 'get'> & {
    /** Of projects that are not removed, in the order of creation. */
    list(): Promise<EnvironmentRecord[]>;
  };
  readonly settings: Pick<Table<SettingsRecord, SettingsKey>, 'get'> & {
    /** Every version that is kept, oldest first. */
    listOfEnvironment(key: { project: string; environment: string }): Promise<SettingsRecord[]>;
  };
  readonly releases: Pick<Table<ReleaseRecord>, 'get'> & {
    list(query: { project?: string | undefined; limit: number }): Promise<ReleaseRecord[]>;
    /** Releases of one environment, newest created first. */
    listOfEnvironment(key: { project: string; environment: string }): Promise<ReleaseRecord[]>;
    /** Releases in status `baking`. */
    listBaking(): Promise<ReleaseRecord[]>;
  };
  readonly checks: Pick<Table<CheckRecord, { project: string; id: string }>, 'get'> & {
    listOfProject(project: string): Promise<CheckRecord[]>;
  };
  readonly jobs: Pick<Table<JobRecord>, 'get'> & {
    /** `queued` or `leased` jobs of a task, oldest first. */
    listOpenOfTask(taskId: string): Promise<JobRecord[]>;
    listOpenOfProject(project: string): Promise<JobRecord[]>;
    /** All jobs of a task, oldest first. */
    listOfTask(taskId: string): Promise<JobRecord[]>;
    /** Leased jobs whose lease ended at or before `nowMs`. */
    listExpired(nowMs: number): Promise<JobRecord[]>;
    /** Queued jobs by kind, for wake-ups and metrics. */
    countQueued(): Promise<Partial<Record<JobKind, number>>>;
    listLeased(): Promise<JobRecord[]>;
  };
  readonly agents: Pick<Table<AgentRecord>, 'get'> & {
    findByName(name: string): Promise<AgentRecord | null>;
    list(): Promise<AgentRecord[]>;
  };
  readonly incidents: Pick<Table<IncidentRecord>, 'get'> & {
    list(query: { project?: string | undefined; limit: number }): Promise<IncidentRecord[]>;
    /** Neither resolved nor muted. */
    listOpenOfEnvironment(key: { project: string; environment: string }): Promise<IncidentRecord[]>;
  };
  readonly artifacts: Pick<Table<ArtifactRecord>, 'get'> & {
    listOfTask(taskId: string): Promise<ArtifactRecord[]>;
  };
  readonly tokens: Pick<Table<TokenRecord>, 'get'> & {
    findByHash(hash: string): Promise<TokenRecord | null>;
    /** Not revoked. */
    list(): Promise<TokenRecord[]>;
  };
  readonly idempotency: Pick<Table<IdempotencyRecord>, 'get'>;
  readonly events: {
    /** Oldest first, `seq > after`. */
    list(query: { after: number; limit: number; subject?: string | undefined }): Promise<Event[]>;
    /** Null while there is none. */
    head(): Promise<{ seq: number; hash: string } | null>;
  };
  /** The topology revision; starts at 0. */
  readonly topology: { revision(): Promise<number> };
}

type Writes<R extends { get: unknown }, T> = R & Omit<T, 'get'>;

/** All of it in one durable transaction. Nothing but these calls may be awaited inside. */
export interface StoreTransaction {
  readonly stories: Writes<StoreReader['stories'], Table<StoryRecord>>;
  readonly tasks: Writes<StoreReader['tasks'], Table<TaskRecord>>;
  readonly projects: Writes<StoreReader['projects'], Table<ProjectRecord>>;
  readonly environments: Writes<
    StoreReader['environments'],
    Table<EnvironmentRecord, { project: string; name: string }>
  >;
  readonly settings: Writes<StoreReader['settings'], Table<SettingsRecord, SettingsKey>> & {
    remove(key: SettingsKey): Promise<void>;
  };
  readonly releases: Writes<StoreReader['releases'], Table<ReleaseRecord>>;
  readonly checks: Writes<StoreReader['checks'], Table<CheckRecord, { project: string; id: string }>>;
  readonly jobs: Writes<StoreReader['jobs'], Table<JobRecord>> & {
    /**
     * Leases the best queued job of these kinds (highest priority, then oldest) in one statement:
     * status `leased`, fence plus one, the agent and expiry set, `confirmedCommit` cleared. Null where none is queued.
     */
    claim(claim: {
      kinds: readonly JobKind[];
      agentId: string;
      expiresAtMs: number;
    }): Promise<JobRecord | null>;
  };
  readonly agents: Writes<StoreReader['agents'], Table<AgentRecord>>;
  readonly incidents: Writes<StoreReader['incidents'], Table<IncidentRecord>>;
  readonly artifacts: Writes<StoreReader['artifacts'], Table<ArtifactRecord>> & {
    remove(id: string): Promise<void>;
  };
  readonly tokens: Writes<StoreReader['tokens'], Table<TokenRecord>>;
  readonly idempotency: Writes<StoreReader['idempotency'], Table<IdempotencyRecord>> & {
    removeOlderThan(instant: string): Promise<number>;
  };
  readonly events: StoreReader['events'] & {
    /** Gives the event its gapless `seq` and its hash. */
    append(draft: EventDraft): Promise<Event>;
  };
  readonly topology: StoreReader['topology'] & {
    /** The new revision. */
    bump(): Promise<number>;
  };
}

/** What a committed batch holds that somebody may be waiting for. */
export interface CommitNotice {
  readonly events: readonly Event[];
  /** One entry for each job that became `queued`. */
  readonly queuedKinds: readonly JobKind[];
  readonly topologyRevision: number | null;
  /** How many transactions shared the commit, and how long it took with their work. */
  readonly transactions: number;
  readonly durationMs: number;
}

/**
 * The truth of the box. One manager holds it: opening a store that another process holds throws a
 * `ProblemError`-like start-up error that names the holder where it is known.
 *
 * `transact` resolves only once the work is durable. Transactions never overlap: those that arrive
 * together share one commit, each behind its own savepoint, so one that throws takes nothing of the
 * others with it. A failed commit rejects all of its batch. A call from inside of another's work is
 * refused, for it would wait for itself.
 */
export interface Store {
  transact<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T>;
  /** Sees committed state only, one and the same from start to end. Nothing but these calls may be awaited inside. */
  read<T>(work: (reader: StoreReader) => Promise<T>): Promise<T>;
  /** Called after each commit, in commit order; the returned function unsubscribes. */
  onCommit(listener: (notice: CommitNotice) => void): () => void;
  /** What is committed now. Work goes on while it is taken and while it is read. */
  snapshot(): Promise<StoreSnapshot>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}
