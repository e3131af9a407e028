import type { JobKind } from '@dbox/contracts';
import { type Kysely, sql } from 'kysely';
import { isoOf } from '../../../ports/clock.ts';
import type { JobRecord } from '../../../ports/records.ts';
import type { StoreTransaction } from '../../../ports/store.ts';
import { documentTable } from '../document-table.ts';
import type { JobColumns, Schema } from '../schema.ts';
import type { Session } from '../session.ts';
import { type Statement, statement } from '../statement.ts';

type JobRow = Pick<
  JobColumns,
  'status' | 'fence' | 'agent_id' | 'lease_expires_at_ms' | 'confirmed_commit'
> & {
  readonly version: number;
  readonly doc: string;
};
const ROW_COLUMNS = [
  'status',
  'fence',
  'agent_id',
  'lease_expires_at_ms',
  'confirmed_commit',
  'version',
  'doc',
] as const;

export function jobsTable(builder: Kysely<Schema>): (session: Session) => StoreTransaction['jobs'] {
  const table = documentTable<JobRecord>({
    builder,
    table: 'jobs',
    keyOf: (id) => ({ id }),
    keyOfRecord: (job) => job.id,
    fixedColumnsOf: (job) => ({
      kind: job.kind,
      project: job.project,
      task_id: job.taskId,
      release_lane:
        job.payload.kind === 'deploy' ? `${job.payload.project}/${job.payload.environment}` : null,
    }),
    columnsOf: (job) => ({
      priority: job.priority,
      status: job.status,
      fence: job.fence,
      agent_id: job.agentId,
      lease_expires_at_ms: job.leaseExpiresAtMs,
      confirmed_commit: job.confirmedCommit,
    }),
  });
  const jobs = builder.selectFrom('jobs').select(ROW_COLUMNS);
  // Literals, not parameters: SQLite uses a partial index only where it can see the condition in the text.
  const open = [sql.lit('queued'), sql.lit('leased')];
  const oldest = jobs.orderBy('ordinal');
  const byId = statement<{ id: string }, JobRow>((param) => jobs.where('id', '=', param('id')).compile());
  const openOfTask = statement<{ taskId: string }, JobRow>((param) =>
    oldest.where('task_id', '=', param('taskId')).where('status', 'in', open).compile(),
  );
  // Asked for seldom: from the indexes of what is queued and what is leased, since one of its own would
  // be written with each claim.
  const openOfProject = statement<{ project: string }, JobRow>((param) => {
    const of = (status: 'queued' | 'leased') =>
      builder
        .selectFrom('jobs')
        .select('ordinal')
        .where('status', '=', sql.lit(status))
        .where('project', '=', param('project'));
    return oldest.where('ordinal', 'in', of('queued').unionAll(of('leased'))).compile();
  });
  const ofTask = statement<{ taskId: string }, JobRow>((param) =>
    oldest.where('task_id', '=', param('taskId')).compile(),
  );
  const leased = statement<object, JobRow>(() => oldest.where('status', '=', sql.lit('leased')).compile());
  const expired = statement<{ nowMs: number }, JobRow>((param) =>
    jobs
      .where('status', '=', sql.lit('leased'))
      .where('lease_expires_at_ms', '<=', param('nowMs'))
      .orderBy('lease_expires_at_ms')
      .orderBy('ordinal')
      .compile(),
  );
  const queuedCounts = statement<object, { kind: JobKind; count: number }>(() =>
    sql<{
      kind: JobKind;
      count: number;
    }>`select kind, count(*) as count from jobs where status = 'queued' group by kind`.compile(builder),
  );
  const statusOf = statement<{ id: string }, { status: string }>((param) =>
    builder.selectFrom('jobs').select('status').where('id', '=', param('id')).compile(),
  );
  const claims = claimStatements(builder);

  const list = async (rows: Promise<readonly JobRow[]>) => (await rows).map(toJob);
  return (session) => ({
    async get(id) {
      const row = await session.row(byId({ id }));
      return row && toJob(row);
    },
    async insert(job) {
      const inserted = await table.insert(session, withExpiryInstant(job));
      if (job.status === 'queued') session.changes.queuedKinds.push(job.kind);
      return inserted;
    },
    async save(job) {
      // Only a job that is given back needs the look at what it was before.
      const before = job.status === 'queued' ? await session.row(statusOf({ id: job.id })) : null;
      const saved = await table.save(session, withExpiryInstant(job));
      if (before !== null && before.status !== 'queued') session.changes.queuedKinds.push(job.kind);
      return saved;
    },
    async claim({ kinds, agentId, expiresAtMs }) {
      if (kinds.length === 0) return null;
      const values: Record<string, string | number> = { agentId, expiresAtMs };
      kinds.forEach((kind, index) => {
        values[kindParameter(index)] = kind;
      });
      const [row] = await session.writeRows(claims(kinds.length)(values));
      return row === undefined ? null : toJob(row);
    },
    listOpenOfTask: (taskId) => list(session.rows(openOfTask({ taskId }))),
    listOpenOfProject: (project) => list(session.rows(openOfProject({ project }))),
    listOfTask: (taskId) => list(session.rows(ofTask({ taskId }))),
    listExpired: (nowMs) => list(session.rows(expired({ nowMs }))),
    listLeased: () => list(session.rows(leased({}))),
    async countQueued() {
      const rows = await session.rows(queuedCounts({}));
      return Object.fromEntries(rows.map((row) => [row.kind, Number(row.count)]));
    },
  });
}

/** The columns are the truth of what a claim changes: the document still holds what it was before. */
function toJob(row: JobRow): JobRecord {
  return {
    ...(JSON.parse(row.doc) as JobRecord),
    status: row.status as JobRecord['status'],
    fence: row.fence,
    agentId: row.agent_id,
    leaseExpiresAtMs: row.lease_expires_at_ms,
    leaseExpiresAt: instantOf(row.lease_expires_at_ms),
    confirmedCommit: row.confirmed_commit,
    version: row.version,
  };
}

/** One of the two says when a lease ends, so that they cannot disagree: the number. */
function withExpiryInstant(job: JobRecord): JobRecord {
  const leaseExpiresAt = instantOf(job.leaseExpiresAtMs);
  return job.leaseExpiresAt === leaseExpiresAt ? job : { ...job, leaseExpiresAt };
}

function instantOf(ms: number | null): string | null {
  return ms === null ? null : isoOf(ms);
}

const kindParameter = (index: number) => `kind${index}`;

/** One text for each number of kinds. */
function claimStatements(builder: Kysely<Schema>) {
  const compiled = new Map<number, Statement<Record<string, string | number>, JobRow>>();
  return (kindCount: number) => {
    const known = compiled.get(kindCount);
    if (known !== undefined) return known;
    const made = statement<Record<string, string | number>, JobRow>((param) => {
      // The best of each kind straight from the index `jobs_queued`, then the best of these: a list of
      // kinds in one condition would sort all that is queued.
      const bestOfKinds = Array.from(
        { length: kindCount },
        (_, index) => sql`select * from (
          select ordinal, priority from jobs where status = 'queued' and kind = ${param(kindParameter(index))}
          order by priority desc, ordinal limit 1) as best`,
      );
      return sql<JobRow>`update jobs set status = 'leased', fence = fence + 1, agent_id = ${param('agentId')},
        lease_expires_at_ms = ${param('expiresAtMs')}, confirmed_commit = null, version = version + 1
        where ordinal = (select ordinal from (${sql.join(bestOfKinds, sql` union all `)}) as candidates
          order by priority desc, ordinal limit 1)
        returning ${sql.join(ROW_COLUMNS.map((column) => sql.ref(column)))}`.compile(builder);
    });
    compiled.set(kindCount, made);
    return made;
  };
}
