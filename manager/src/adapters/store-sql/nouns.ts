import type { Kysely } from 'kysely';
import type { StoreTransaction } from '../../ports/store.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';
import { agentsTable } from './tables/agents.ts';
import { artifactsTable } from './tables/artifacts.ts';
import { checksTable } from './tables/checks.ts';
import { eventsTable } from './tables/events.ts';
import { idempotencyTable } from './tables/idempotency.ts';
import { incidentsTable } from './tables/incidents.ts';
import { jobsTable } from './tables/jobs.ts';
import { environmentsTable, projectsTable } from './tables/projects.ts';
import { releasesTable } from './tables/releases.ts';
import { settingsTable } from './tables/settings.ts';
import { storiesTable } from './tables/stories.ts';
import { tasksTable } from './tables/tasks.ts';
import { tokensTable } from './tables/tokens.ts';
import { topologyTable } from './tables/topology.ts';

/**
 * Compiles every query of the store once; the returned function binds them to one piece of work.
 * Readers get the same object: their session refuses to write.
 */
export function openNouns(builder: Kysely<Schema>): (session: Session) => StoreTransaction {
  const stories = storiesTable(builder);
  const tasks = tasksTable(builder);
  const projects = projectsTable(builder);
  const environments = environmentsTable(builder);
  const settings = settingsTable(builder);
  const releases = releasesTable(builder);
  const checks = checksTable(builder);
  const jobs = jobsTable(builder);
  const agents = agentsTable(builder);
  const incidents = incidentsTable(builder);
  const artifacts = artifactsTable(builder);
  const tokens = tokensTable(builder);
  const idempotency = idempotencyTable(builder);
  const events = eventsTable(builder);
  const topology = topologyTable(builder);
  return (session) => ({
    stories: stories(session),
    tasks: tasks(session),
    projects: projects(session),
    environments: environments(session),
    settings: settings(session),
    releases: releases(session),
    checks: checks(session),
    jobs: jobs(session),
    agents: agents(session),
    incidents: incidents(session),
    artifacts: artifacts(session),
    tokens: tokens(session),
    idempotency: idempotency(session),
    events: events(session),
    topology: topology(session),
  });
}
