import type { Migration } from './migration.ts';

export const initial: Migration = {
  name: '0001-initial',
  statements: (flavor) => {
    const table = (name: string, columns: readonly string[]) =>
      `create table ${name} (${columns.join(', ')}) ${flavor.tableOptions}`;
    const documents = (name: string, columns: readonly string[]) =>
      table(name, [
        `ordinal ${flavor.columnTypes.ordinal}`,
        ...columns,
        'version integer not null',
        'doc text not null',
      ]);
    return [
      documents('stories', ['id text not null unique', 'project text not null', 'status text not null']),
      'create index stories_of_project on stories (project, ordinal)',
      `create index stories_moving on stories (ordinal) where status in ('received', 'planning', 'running')`,

      documents('tasks', [
        'id text not null unique',
        'story_id text not null',
        'project text not null',
        'status text not null',
        'integration text not null',
        'integration_order integer',
      ]),
      'create index tasks_of_story on tasks (story_id, ordinal)',
      'create index tasks_of_project on tasks (project, ordinal)',
      'create index tasks_by_status on tasks (status, ordinal)',
      'create index tasks_by_integration on tasks (integration, integration_order)',

      documents('projects', ['name text not null unique', 'removed_at text']),
      documents('environments', ['project text not null', 'name text not null']),
      'create unique index environments_key on environments (project, name)',

      documents('releases', [
        'id text not null unique',
        'project text not null',
        'environment text not null',
        'status text not null',
      ]),
      'create index releases_of_environment on releases (project, environment, ordinal)',
      'create index releases_by_status on releases (status, ordinal)',
      // One release at a time is on its way to the traffic of an environment.
      `create unique index one_open_release on releases (project, environment)
        where status in ('queued', 'building', 'starting', 'smoking', 'baking')`,

      documents('checks', ['project text not null', 'id text not null']),
      'create unique index checks_key on checks (project, id)',

      documents('jobs', [
        'id text not null unique',
        'kind text not null',
        'project text',
        'task_id text',
        'release_lane text',
        'status text not null',
        'priority integer not null',
        'fence integer not null',
        'agent_id text',
        `lease_expires_at_ms ${flavor.columnTypes.integer}`,
        'confirmed_commit text',
      ]),
      `create index jobs_queued on jobs (kind, priority desc, ordinal) where status = 'queued'`,
      `create index jobs_leased on jobs (lease_expires_at_ms) where status = 'leased'`,
      'create index jobs_of_task on jobs (task_id, ordinal)',
      // Written so that SQLite sees at once that most jobs are not in it: a condition on kind and a list
      // of states made each claim seven times as slow.
      `create unique index one_open_release_job on jobs (release_lane)
        where release_lane is not null
          and status <> 'succeeded' and status <> 'failed' and status <> 'cancelled'`,

      documents('agents', ['id text not null unique', 'name text not null unique']),

      documents('incidents', [
        'id text not null unique',
        'project text not null',
        'environment text not null',
        'status text not null',
      ]),
      'create index incidents_of_environment on incidents (project, environment, status)',

      documents('artifacts', ['id text not null unique', 'task_id text']),
      'create index artifacts_of_task on artifacts (task_id, ordinal)',

      documents('tokens', ['id text not null unique', 'hash text not null unique', 'revoked_at text']),
      documents('idempotency', ['key text not null unique', 'created_at text not null']),
      'create index idempotency_by_age on idempotency (created_at)',

      table('events', [
        `seq ${flavor.columnTypes.integer} primary key`,
        'at text not null',
        'actor text not null',
        'type text not null',
        'subject text not null',
        'data text not null',
        'hash text not null',
      ]),
      'create index events_of_subject on events (subject, seq)',

      table('topology', ['id integer primary key', 'revision integer not null']),
      'insert into topology (id, revision) values (1, 0)',
    ];
  },
};
