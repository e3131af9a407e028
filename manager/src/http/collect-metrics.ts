import type { AppContext } from '../app/context.ts';
import { usageOf } from '../app/report-usage.ts';
import { toWireAgent } from '../app/views.ts';
import type { MetricsSnapshot } from './metrics.ts';

/** What the manager is now, counted when somebody asks for `/metrics`. */
export async function collectMetrics(context: AppContext): Promise<MetricsSnapshot> {
  const { observations } = context;
  const found = await context.store.read(async (reader) => {
    const environments = await reader.environments.list();
    const releases = [];
    for (const { project, name } of environments) {
      releases.push(...(await reader.releases.listOfEnvironment({ project, environment: name })));
    }
    return {
      environments,
      releases,
      stories: await reader.stories.list({ limit: 10_000 }),
      tasks: await reader.tasks.list({ limit: 10_000 }),
      incidents: await reader.incidents.list({ limit: 10_000 }),
      queued: await reader.jobs.countQueued(),
      leased: await reader.jobs.listLeased(),
      agents: await reader.agents.list(),
      head: await reader.events.head(),
    };
  });
  const leased = countBy(found.leased, (job) => job.kind);
  const agents = countBy(
    found.agents.map((agent) => toWireAgent(context, agent)),
    (agent) => `${agent.kind}/${agent.state}` as const,
  );
  const releases = countBy(
    found.releases,
    (one) => `${one.project}/${one.environment}/${one.status}` as const,
  );
  return {
    version: context.settings.version,
    jobs: [
      ...entries(found.queued).map(([kind, count]) => ({ kind, status: 'queued' as const, count })),
      ...entries(leased).map(([kind, count]) => ({ kind, status: 'leased' as const, count })),
    ],
    stories: countBy(found.stories, (story) => story.status),
    tasks: countBy(found.tasks, (task) => task.status),
    incidents: countBy(found.incidents, (incident) => incident.status),
    releases: entries(releases).map(([key, count]) => {
      const [project, environment, status] = key.split('/') as [string, string, never];
      return { project, environment, status, count };
    }),
    probes: found.environments.flatMap(({ project, name, liveReleaseId, health }) =>
      liveReleaseId === null || health === 'unknown'
        ? []
        : [
            {
              project,
              environment: name,
              releaseId: liveReleaseId,
              ok: health === 'healthy',
              durationMs: observations.probeDurationsMs.get(liveReleaseId) ?? null,
            },
          ],
    ),
    agents: entries(agents).map(([key, count]) => {
      const [kind, state] = key.split('/') as [never, never];
      return { kind, state, count };
    }),
    eventCount: found.head?.seq ?? 0,
    traffic: found.releases.flatMap(({ project, environment, id }) => {
      const traffic = observations.traffic.get(id);
      return traffic ? [{ project, environment, releaseId: id, statuses: traffic.statuses }] : [];
    }),
    usage: found.releases.flatMap(({ project, environment, id }) => {
      const usage = usageOf(context, id);
      return usage ? [{ ...usage, project, environment }] : [];
    }),
    freeSpace: await context.files.freeSpace(),
  };
}

function countBy<T, K extends string>(all: readonly T[], keyOf: (one: T) => K): Partial<Record<K, number>> {
  const counts: Partial<Record<K, number>> = {};
  for (const one of all) counts[keyOf(one)] = (counts[keyOf(one)] ?? 0) + 1;
  return counts;
}

function entries<K extends string>(counts: Partial<Record<K, number>>): [K, number][] {
  return Object.entries(counts) as [K, number][];
}
