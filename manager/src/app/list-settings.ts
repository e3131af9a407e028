import type { SettingList } from '@dbox/contracts';
import type { AppContext } from './context.ts';
import { type EnvironmentKey, requireEnvironment } from './settings-steps.ts';

/** Names alone, and how far the newest version has come. */
export async function listSettings(context: AppContext, key: EnvironmentKey): Promise<SettingList> {
  return context.store.read(async (reader) => {
    const { settings, liveReleaseId } = await requireEnvironment(reader, key);
    const { version, pending, refused } = settings;
    const kept = await reader.settings.get({
      project: key.project,
      environment: key.environment,
      number: version,
    });
    const live = liveReleaseId === null ? null : await reader.releases.get(liveReleaseId);
    return {
      version,
      live: live?.settingsVersion ?? null,
      pending: pending && live !== null,
      refused,
      settings: (kept?.settings ?? [])
        .map(({ key: name, changedAt }) => ({ key: name, changedAt }))
        .sort((a, b) => (a.key < b.key ? -1 : 1)),
    };
  });
}
