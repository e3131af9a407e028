import { ProblemError } from '@dbox/contracts';
import type { EnvironmentSettings } from '../domain/settings-progress.ts';
import { afterLive, afterRefusal, afterRollback } from '../domain/settings-progress.ts';
import type { EnvironmentRecord, ProjectRecord, ReleaseRecord } from '../ports/records.ts';
import type { StoreReader, StoreTransaction } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { now, record } from './context.ts';
import { requireProject } from './project-steps.ts';
import { enqueueDeployJob } from './release-steps.ts';
import { MAX_HOST_REPEATS } from './task-steps.ts';

/*
 * How a version of an environment's settings comes to what is live. Each step runs inside the
 * caller's transaction; where a release ends and where it goes live decide what comes next.
 */

export interface EnvironmentKey {
  readonly project: string;
  readonly environment: string;
}

export async function requireEnvironment(
  reader: StoreReader,
  { project, environment }: EnvironmentKey,
): Promise<EnvironmentRecord> {
  await requireProject(reader, project);
  const found = await reader.environments.get({ project, name: environment });
  if (found) return found;
  const names = (await reader.environments.list()).filter((one) => one.project === project);
  throw new ProblemError(
    'not_found',
    `project ${project} has no environment ${environment}; there are: ${names.map((one) => one.name).join(', ')}`,
  );
}

/** Offers what is live once more, with the settings as they are now. The project must be free. */
export async function beginSettingsRelease(
  context: AppContext,
  tx: StoreTransaction,
  given: {
    readonly project: ProjectRecord;
    readonly environment: EnvironmentRecord;
    readonly live: ReleaseRecord;
  },
): Promise<ReleaseRecord> {
  const { project, environment, live } = given;
  const release = await tx.releases.insert({
    ...live,
    id: context.ids.next('rel'),
    status: 'queued',
    settingsVersion: environment.settings.version,
    checks: [],
    reason: null,
    createdAt: now(context),
    liveAt: null,
    generation: 0,
    target: null,
    routeRevision: null,
    liveOrder: null,
    trigger: 'settings',
    version: 1,
  });
  await tx.projects.save({ ...project, work: { kind: 'settings', releaseId: release.id } });
  await record(context, tx, {
    actor: 'system',
    type: 'release.queued',
    subject: `release/${release.id}`,
    data: {
      project: project.name,
      environment: environment.name,
      commit: release.commit,
      settings: release.settingsVersion,
      because: 'settings changed',
    },
  });
  const checks = (await tx.checks.listOfProject(project.name)).filter((check) => check.status === 'live');
  await enqueueDeployJob(context, tx, release, checks, 'high');
  await tx.topology.bump();
  return release;
}

/** What a release that goes live makes of its environment's settings. */
export async function settleSettings(
  context: AppContext,
  tx: StoreTransaction,
  environment: EnvironmentRecord,
  release: ReleaseRecord,
  actor: string,
): Promise<EnvironmentSettings> {
  const { settings, project, name } = environment;
  const { settingsVersion } = release;
  if (release.trigger !== 'rollback') return afterLive(settings, settingsVersion);
  if (settings.version !== settingsVersion) {
    await record(context, tx, {
      actor,
      type: 'settings.restored',
      subject: `environment/${project}/${name}`,
      data: { project, environment: name, from: settings.version, to: settingsVersion, release: release.id },
    });
  }
  return afterRollback(settings, settingsVersion);
}

/** The old release serves on with the old settings. Repeated where the host is to blame; else told to a person. */
export async function refuseSettings(
  context: AppContext,
  tx: StoreTransaction,
  refusal: {
    readonly project: ProjectRecord;
    readonly release: ReleaseRecord;
    readonly cause: 'commit' | 'host' | 'final';
    readonly actor: string;
  },
): Promise<void> {
  const { project, release, cause, actor } = refusal;
  if (project.work?.kind === 'settings' && project.work.releaseId === release.id) {
    await tx.projects.save({ ...project, work: null });
  }
  const key = { project: release.project, name: release.environment };
  const environment = await tx.environments.get(key);
  if (!environment) return;
  const reason = (release.reason ?? '').slice(0, 2000);
  const refused = { version: release.settingsVersion, releaseId: release.id, reason };
  const isHosts = cause === 'host';
  const after = afterRefusal(environment.settings, refused, { isHosts, maxHostRepeats: MAX_HOST_REPEATS });
  await tx.environments.save({ ...environment, settings: after.settings });
  if (!after.told) return;
  await record(context, tx, {
    actor,
    type: 'settings.refused',
    subject: `environment/${key.project}/${key.name}`,
    data: {
      project: key.project,
      environment: key.name,
      version: release.settingsVersion,
      release: release.id,
      reason,
    },
  });
}
