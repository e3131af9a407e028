import { SealBrokenError } from '../ports/setting-vault.ts';
import { changeSettings, type SettingChange } from './change-settings.ts';
import type { AppContext } from './context.ts';
import { now } from './context.ts';
import type { EnvironmentKey } from './settings-steps.ts';

/** Gives an environment's releases a variable. The value is encrypted before anything of it is written. */
export async function setSetting(
  context: AppContext,
  wish: EnvironmentKey & { readonly key: string; readonly value: string; readonly actor: string },
): Promise<SettingChange> {
  const { key, value } = wish;
  const entry = { key, sealed: context.vault.seal(wish, value), changedAt: now(context) };
  return changeSettings(context, { ...wish, mayCreate: true }, (entries) => {
    const index = entries.findIndex((one) => one.key === key);
    if (index < 0) return [...entries, entry];
    return isSame(entries[index]!.sealed) ? null : entries.with(index, entry);
  });

  function isSame(sealed: string): boolean {
    try {
      return context.vault.open(wish, sealed) === value;
    } catch (error) {
      // Its key is lost: setting it again is how it is mended.
      if (error instanceof SealBrokenError) return false;
      throw error;
    }
  }
}
