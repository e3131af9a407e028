import type { Answer } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { SealBrokenError } from '../ports/setting-vault.ts';
import type { AppContext } from './context.ts';

/** The values a release runs with, in clear: the one way in which they leave the manager. */
export async function readReleaseSettings(
  context: AppContext,
  releaseId: string,
): Promise<NonNullable<Answer<'getReleaseSettings'>>> {
  const { project, environment, number, entries } = await context.store.read(async (reader) => {
    const release = await reader.releases.get(releaseId);
    if (!release) throw new ProblemError('not_found', `there is no release ${releaseId}`);
    const key = {
      project: release.project,
      environment: release.environment,
      number: release.settingsVersion,
    };
    const kept = key.number === 0 ? null : await reader.settings.get(key);
    if (key.number !== 0 && !kept) {
      throw new ProblemError(
        'conflict',
        `settings version ${key.number} of ${key.project}/${key.environment} is no longer kept`,
      );
    }
    return { ...key, entries: kept?.settings ?? [] };
  });
  try {
    const values = entries.map(({ key, sealed }) => [
      key,
      context.vault.open({ project, environment, key }, sealed),
    ]);
    return { version: number, values: Object.fromEntries(values) };
  } catch (error) {
    if (!(error instanceof SealBrokenError)) throw error;
    throw new ProblemError(
      'conflict',
      `${error.message} with secrets/env.key: restore that file from a backup, or set each of these again with \`dbox env set ${project} KEY --environment ${environment}\`: ${entries.map((one) => one.key).join(', ')}`,
      { cause: error },
    );
  }
}
