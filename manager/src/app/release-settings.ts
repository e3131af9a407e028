import type { AppContext } from './context.ts';
import { transact } from './context.ts';
import { beginSettingsRelease } from './settings-steps.ts';
import { takeStep } from './step-guard.ts';
import { loadProject } from './task-steps.ts';

/** Settings that changed while their project was busy get their release now. Returns how many were begun. */
export async function releaseSettings(context: AppContext): Promise<number> {
  const environments = await context.store.read((reader) => reader.environments.list());
  let steps = 0;
  for (const { project, name, settings, liveReleaseId } of environments) {
    if (!settings.pending || liveReleaseId === null) continue;
    const guard = {
      subject: `settings/${project}/${name}`,
      doing: `releasing the settings of ${project}/${name}`,
    };
    steps += await takeStep(context, guard, () => releaseOne(context, { project, name }));
  }
  return steps;
}

async function releaseOne(
  context: AppContext,
  key: { readonly project: string; readonly name: string },
): Promise<number> {
  return transact(context, async (tx) => {
    const environment = await tx.environments.get(key);
    const project = await loadProject(tx, key.project);
    if (!environment?.settings.pending || project.work !== null || project.removedAt !== null) return 0;
    const live = environment.liveReleaseId === null ? null : await tx.releases.get(environment.liveReleaseId);
    if (!live) return 0;
    await beginSettingsRelease(context, tx, { project, environment, live });
    return 1;
  });
}
