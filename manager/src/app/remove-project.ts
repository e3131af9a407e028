import { ProblemError } from '@dbox/contracts';
import { cancelStory } from './cancel-task.ts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';
import { requireProject } from './project-steps.ts';
import { saveMovedRelease } from './release-steps.ts';

/** Withdraws its stories, stops its releases, and puts its repository aside; nothing is deleted. */
export async function removeProject(context: AppContext, name: string, actor: string): Promise<void> {
  const stories = await context.store.read(async (reader) => {
    await requireProject(reader, name);
    return (await reader.stories.listMoving()).filter((story) => story.project === name);
  });
  for (const story of stories) {
    await cancelStory(context, story.id, actor).catch((error: unknown) => {
      if (!(error instanceof ProblemError)) throw error;
    });
  }
  const at = now(context);
  await transact(context, async (tx) => {
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
    }
    await tx.projects.save({ ...project, removedAt: at });
    await tx.topology.bump();
    await record(context, tx, { actor, type: 'project.removed', subject: `project/${name}` });
  });
  await context.repositories.remove(name, at.replaceAll(/[:.]/g, '-'));
}
