import { ProblemError } from '@dbox/contracts';
import type { AppContext } from './context.ts';
import { readSettings } from './read-release-settings.ts';

/** Told when the box starts, not when the next release fails: whether all settings can be read. */
export async function checkSettingsKey(context: AppContext): Promise<void> {
  const environments = await context.store.read((reader) => reader.environments.list());
  for (const { project, name, settings } of environments) {
    const topic = `settings:${project}/${name}`;
    try {
      await readSettings(context, { project, environment: name, number: settings.version });
      context.observations.warnings.delete(topic);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      context.observations.warnings.set(topic, error.message);
    }
  }
}
