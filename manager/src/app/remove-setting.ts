import { ProblemError } from '@dbox/contracts';
import { changeSettings, type SettingChange } from './change-settings.ts';
import type { AppContext } from './context.ts';
import type { EnvironmentKey } from './settings-steps.ts';

/** Takes a variable away from an environment's releases. Releases that ran with it keep it for a rollback. */
export async function removeSetting(
  context: AppContext,
  wish: EnvironmentKey & { readonly key: string; readonly actor: string },
): Promise<SettingChange> {
  const { key, project, environment } = wish;
  return changeSettings(context, { ...wish, mayCreate: false }, (entries) => {
    if (entries.some((one) => one.key === key)) return entries.filter((one) => one.key !== key);
    const names = entries.map((one) => one.key).join(', ');
    throw new ProblemError(
      'not_found',
      `${project}/${environment} has no setting ${key}; ${names ? `there are: ${names}` : 'it has none'}`,
    );
  });
}
