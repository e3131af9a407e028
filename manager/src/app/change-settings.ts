import type { Answer } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { afterChange, afterRetry } from '../domain/settings-progress.ts';
import type { EnvironmentRecord, SettingsRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import { checkSettingsKey } from './check-settings-key.ts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';
import { ensureEnvironment, requireProject } from './project-steps.ts';
import { beginSettingsRelease, type EnvironmentKey, requireEnvironment } from './settings-steps.ts';

export type SettingChange = NonNullable<Answer<'setSetting'>>;
type Entry = SettingsRecord['settings'][number];

/** A process takes some 2 MiB of environment and arguments altogether; this leaves the rest to the app. */
const MAX_SETTINGS = 200;
const MAX_SEALED_CHARS = 512 * 1024;

/**
 * Makes the next version of an environment's settings and, where something is live, has it released
 * again with them: at once, or when what is under way has ended. `change` returns the entries as they
 * shall be, or null where they are so already.
 */
export async function changeSettings(
  context: AppContext,
  given: EnvironmentKey & { readonly key: string; readonly actor: string; readonly mayCreate: boolean },
  change: (entries: readonly Entry[]) => readonly Entry[] | null,
): Promise<SettingChange> {
  const { project, environment: name, actor } = given;
  const changed = await transact(context, async (tx) => {
    if (given.mayCreate) {
      await requireProject(tx, project);
      await ensureEnvironment(context, tx, { project, name });
    }
    const environment = await requireEnvironment(tx, given);
    if ((await requireProject(tx, project)).work?.kind === 'rollback') {
      throw new ProblemError(
        'project_busy',
        `a rollback of ${project} is under way, which takes its settings back too; wait until it has settled (\`dbox status\`) and try again`,
      );
    }
    const { version } = environment.settings;
    const before = await tx.settings.get({ project, environment: name, number: version });
    const entries = change(before?.settings ?? []);
    if (entries === null) return tryAgain(context, tx, environment, given.key, actor);
    const sealedChars = entries.reduce((sum, { sealed }) => sum + sealed.length, 0);
    if (entries.length > MAX_SETTINGS || sealedChars > MAX_SEALED_CHARS) {
      throw new ProblemError(
        'invalid_request',
        `the settings of ${project}/${name} would be more than the environment of a process can hold (${MAX_SETTINGS} settings, ${MAX_SEALED_CHARS / 1024} KiB encrypted): put large things into a file below DATA_DIR`,
      );
    }
    const after = afterChange(environment.settings);
    const number = after.version;
    await tx.settings.insert({
      project,
      environment: name,
      number,
      createdAt: now(context),
      settings: entries,
      version: 1,
    });
    const saved = await tx.environments.save({
      ...environment,
      settings: after,
    });
    await record(context, tx, {
      actor,
      type: 'settings.changed',
      subject: `environment/${project}/${name}`,
      data: { project, environment: name, key: given.key, version: number },
    });
    return takeToLive(context, tx, saved);
  });
  // A lost key is mended by setting what it had encrypted.
  await checkSettingsKey(context);
  return changed;
}

/** The same again: nothing to do where it is live or on its way, and another try where it was refused. */
async function tryAgain(
  context: AppContext,
  tx: StoreTransaction,
  environment: EnvironmentRecord,
  key: string,
  actor: string,
): Promise<SettingChange> {
  const { settings, project, name } = environment;
  if (settings.pending || settings.refused?.version !== settings.version)
    return takeToLive(context, tx, environment);
  const saved = await tx.environments.save({
    ...environment,
    settings: afterRetry(settings),
  });
  await record(context, tx, {
    actor,
    type: 'settings.retried',
    subject: `environment/${project}/${name}`,
    data: { project, environment: name, key, version: settings.version },
  });
  return takeToLive(context, tx, saved);
}

async function takeToLive(
  context: AppContext,
  tx: StoreTransaction,
  environment: EnvironmentRecord,
): Promise<SettingChange> {
  const { version, pending } = environment.settings;
  const project = await requireProject(tx, environment.project);
  const live = environment.liveReleaseId === null ? null : await tx.releases.get(environment.liveReleaseId);
  if (live?.settingsVersion === version) return { version, effect: 'live', releaseId: null };
  if (!live || !pending) return { version, effect: 'next_release', releaseId: null };
  if (project.work !== null) {
    const under = project.work.kind === 'settings' ? await tx.releases.get(project.work.releaseId) : null;
    const isThis = under?.environment === environment.name && under.settingsVersion === version;
    return isThis
      ? { version, effect: 'releasing', releaseId: under.id }
      : { version, effect: 'waiting', releaseId: null };
  }
  const release = await beginSettingsRelease(context, tx, { project, environment, live });
  return { version, effect: 'releasing', releaseId: release.id };
}
