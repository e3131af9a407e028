import type { Answer } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import type { SettingsKey } from '../ports/records.ts';
import { SealBrokenError } from '../ports/setting-vault.ts';
import type { AppContext } from './context.ts';

/** The values a release runs with, in clear: the one way in which they leave the manager. */
export async function readReleaseSettings(
  context: AppContext,
  releaseId: string,
): Promise<NonNullable<Answer<'getReleaseSettings'>>> {
  const release = await context.store.read((reader) => reader.releases.get(releaseId));
  if (!release) throw new ProblemError('not_found', `there is no release ${releaseId}`);
  const { project, environment, settingsVersion } = release;
  return {
    version: settingsVersion,
    values: await readSettings(context, { project, environment, number: settingsVersion }),
  };
}

export async function readSettings(
  context: AppContext,
  key: SettingsKey,
): Promise<Readonly<Record<string, string>>> {
  const { project, environment, number } = key;
  if (number === 0) return {};
  const kept = await context.store.read((reader) => reader.settings.get(key));
  if (!kept) {
    throw new ProblemError(
      'conflict',
      `settings version ${number} of ${project}/${environment} is no longer kept`,
    );
  }
  try {
    const values = kept.settings.map(({ key: name, sealed }) => [
      name,
      context.vault.open({ project, environment, key: name }, sealed),
    ]);
    return Object.fromEntries(values);
  } catch (error) {
    if (!(error instanceof SealBrokenError)) throw error;
    const names = kept.settings.map((one) => one.key).join(', ');
    throw new ProblemError(
      'conflict',
      `${error.message} with secrets/env.key: restore that file from a backup, or set each of these again with \`dbox env set ${project} KEY --environment ${environment}\`: ${names}`,
      { cause: error },
    );
  }
}
