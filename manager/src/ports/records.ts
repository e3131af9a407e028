import type {
  Agent,
  Artifact,
  Attempt,
  Check,
  EngineName,
  Health,
  Incident,
  Job,
  JobPayload,
  JobResult,
  Project,
  Release,
  ReleaseTrigger,
  Role,
  Story,
  Target,
  Task,
  TaskSpec,
} from '@dbox/contracts';
import type { EnvironmentSettings } from '../domain/settings-progress.ts';

/**
 * What the store keeps: the wire nouns and what the manager alone needs to know of them.
 * `version` grows with each save; a save of an older version is refused.
 */
interface Versioned {
  readonly version: number;
}

export interface StoryRecord extends Story, Versioned {
  /** Whether its plan comes from the planner or from the person's own task specs. */
  readonly planFrom: 'text' | 'documents';
}

/** How far a finished attempt has come on its way into main. */
export type Integration = 'none' | 'waiting' | 'testing' | 'tested' | 'releasing' | 'landed';

export interface TaskRecord extends Task, Versioned {
  readonly spec: TaskSpec;
  readonly storyText: string;
  readonly attempts: readonly Attempt[];
  readonly releaseIds: readonly string[];
  /** The attempt number at which the task fails for good; `retry` raises it. */
  readonly attemptLimit: number;
  /** What the next attempt starts from; null is main. */
  readonly startCommit: string | null;
  readonly evidenceReason: string | null;
  readonly integration: Integration;
  /** Attempts that are ready are integrated in this order; null while not ready. */
  readonly integrationOrder: number | null;
  readonly candidateCommit: string | null;
  /** How often the present job was repeated for reasons outside of the commit. */
  readonly hostRepeats: number;
}

export type ProjectWork =
  | { readonly kind: 'task'; readonly taskId: string }
  | { readonly kind: 'rollback'; readonly releaseId: string }
  | { readonly kind: 'settings'; readonly releaseId: string };

export interface ProjectRecord extends Project, Versioned {
  /** The one candidate, rollback or change of settings under way; main moves only for it. */
  readonly work: ProjectWork | null;
  readonly removedAt: string | null;
}

export interface EnvironmentRecord extends Versioned {
  readonly project: string;
  readonly name: string;
  /** Where the gateway listens, or is asked to. */
  readonly port: number;
  /** The release that has the traffic once the gateway acknowledged. */
  readonly liveReleaseId: string | null;
  /** What the gateway is asked to route to; differs from live between switch and acknowledgement. */
  readonly routedReleaseId: string | null;
  readonly health: Health;
  readonly settings: EnvironmentSettings;
}

export interface SettingsKey {
  readonly project: string;
  readonly environment: string;
  /** The settings version that releases name. */
  readonly number: number;
}

/** All settings of an environment as of one change. Never edited: a change makes the next one. */
export interface SettingsRecord extends SettingsKey, Versioned {
  readonly createdAt: string;
  readonly settings: readonly {
    readonly key: string;
    /** The value, encrypted. */
    readonly sealed: string;
    readonly changedAt: string;
  }[];
}

export interface ReleaseRecord extends Release, Versioned {
  readonly trusted: boolean;
  readonly engine: EngineName | null;
  /** Asks for one restart each time it grows. */
  readonly generation: number;
  readonly target: Target | null;
  /** The topology revision that routes to it; null before the switch. */
  readonly routeRevision: number | null;
  /** Grows with each taking of the traffic, box-wide: instants may tie or jump. Null: it never had it. */
  readonly liveOrder: number | null;
  /** What main becomes when it takes the traffic. */
  readonly mainAfter: string;
  /** The project's live checks while this release was live, to restore them with it. */
  readonly checkIds: readonly string[];
  /** The tasks whose work is in its tree; set when it first takes the traffic. */
  readonly taskIds: readonly string[];
  readonly trigger: ReleaseTrigger;
}

export interface CheckRecord extends Check, Versioned {}

export interface JobRecord extends Job, Versioned {
  readonly payload: JobPayload;
  readonly result: JobResult | null;
  /** Higher goes first. */
  readonly priority: number;
  readonly leaseExpiresAtMs: number | null;
  /** The commit confirmed by `PUT …/commit` under the present fence. */
  readonly confirmedCommit: string | null;
}

export interface AgentRecord extends Versioned {
  readonly id: string;
  /** The same name again is the same agent. */
  readonly name: string;
  readonly agent: Omit<Agent, 'state'>;
}
export interface IncidentRecord extends Incident, Versioned {}
export interface ArtifactRecord extends Artifact, Versioned {
  readonly project: string | null;
}

export interface TokenRecord extends Versioned {
  readonly id: string;
  /** SHA-256 in hex; the token itself is shown once and not kept. */
  readonly hash: string;
  readonly role: Role;
  readonly createdAt: string;
  readonly revokedAt: string | null;
}

export interface IdempotencyRecord extends Versioned {
  readonly key: string;
  /** SHA-256 of the request body; the same key with another body is refused. */
  readonly bodyHash: string;
  readonly answer: string;
  readonly createdAt: string;
}
