import { ProblemError } from '@dbox/contracts';
import { moveIncident } from '../domain/lifecycles.ts';
import type { StoreTransaction } from '../ports/store.ts';
import { withdrawStory } from './cancel-task.ts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';
import { requireProject } from './project-steps.ts';
import { saveMovedRelease } from './release-steps.ts';

/** Withdraws its stories, stops its releases, and puts its repository aside; nothing is deleted. */
export async function removeProject(context: AppContext, name: string, actor: string): Promise<void> {
  const at = now(context);
  // All at once: a story that comes in meanwhile is either withdrawn here, or finds the project gone.
  await transact(context, async (tx) => {
    await requireProject(tx, name);
    for (const story of await tx.stories.listMoving()) {
      if (story.project === name) await withdrawStory(context, tx, story, actor).catch(unlessReleased);
    }
    const project = await requireProject(tx, name);
    if (project.work) {
      throw new ProblemError(
        'project_busy',
        `a release of ${name} is under way; wait until it has settled and try again`,
      );
    }
    for (const environment of await tx.environments.list()) {
      if (environment.project !== name || environment.liveReleaseId === null) continue;
      const live = await tx.releases.get(environment.liveReleaseId);
      if (live?.status === 'live')
        await saveMovedRelease(context, tx, { ...live, reason: 'the project was removed' }, 'stopped', actor);
      await tx.environments.save({
        ...environment,
        liveReleaseId: null,
        routedReleaseId: null,
        health: 'unknown',
      });
      await closeIncidents(context, tx, { project: name, environment: environment.name }, actor);
    }
    await tx.projects.save({ ...project, removedAt: at });
    await tx.topology.bump();
    await record(context, tx, { actor, type: 'project.removed', subject: `project/${name}` });
  });
  await context.repositories.remove(name, at.replaceAll(/[:.]/g, '-'));
}

/** What is being switched to right now is told below, with what to do about it. */
function unlessReleased(error: unknown): void {
  if (!(error instanceof ProblemError && error.code === 'already_released')) throw error;
}

async function closeIncidents(
  context: AppContext,
  tx: StoreTransaction,
  key: { readonly project: string; readonly environment: string },
  actor: string,
): Promise<void> {
  for (const incident of await tx.incidents.listOpenOfEnvironment(key)) {
    await tx.incidents.save({ ...moveIncident(incident, 'resolved'), resolvedAt: now(context) });
    await record(context, tx, {
      actor,
      type: 'incident.resolved',
      subject: `incident/${incident.id}`,
      data: { ...key, why: 'the project was removed' },
    });
  }
}
