import type { Generated } from 'kysely';

/**
 * Every noun is one JSON document and, beside it, the columns that queries look at. `ordinal` is the
 * order of insertion, which is what "oldest" and "newest" mean here: it does not jump with the clock.
 */
interface DocumentColumns {
  readonly ordinal: Generated<number>;
  readonly version: number;
  readonly doc: string;
}

/** The tables as Kysely sees them; `migrations/` makes them. */
export interface Schema {
  stories: DocumentColumns & { id: string; project: string; status: string };
  tasks: DocumentColumns & {
    id: string;
    story_id: string;
    project: string;
    status: string;
    integration: string;
    integration_order: number | null;
  };
  projects: DocumentColumns & { name: string; removed_at: string | null };
  environments: DocumentColumns & { project: string; name: string };
  settings: DocumentColumns & { project: string; environment: string; number: number };
  releases: DocumentColumns & { id: string; project: string; environment: string; status: string };
  checks: DocumentColumns & { project: string; id: string };
  jobs: DocumentColumns & JobColumns;
  agents: DocumentColumns & { id: string; name: string };
  incidents: DocumentColumns & { id: string; project: string; environment: string; status: string };
  artifacts: DocumentColumns & { id: string; task_id: string | null };
  tokens: DocumentColumns & { id: string; hash: string; revoked_at: string | null };
  idempotency: DocumentColumns & { key: string; created_at: string };
  events: EventColumns;
  topology: { id: number; revision: number };
}

/** What a lease changes lies in columns, so that a claim is one statement and does not rewrite the document. */
export interface JobColumns {
  id: string;
  kind: string;
  project: string | null;
  task_id: string | null;
  /** `project/environment` of a release job; null for every other kind. */
  release_lane: string | null;
  status: string;
  priority: number;
  fence: number;
  agent_id: string | null;
  lease_expires_at_ms: number | null;
  confirmed_commit: string | null;
}

export interface EventColumns {
  seq: number;
  at: string;
  actor: string;
  type: string;
  subject: string;
  /** Canonical JSON. */
  data: string;
  hash: string;
}
