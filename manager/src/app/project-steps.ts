import { PROJECT_NAME_PATTERN, ProblemError } from '@dbox/contracts';
import { freeName } from '../domain/plan-graph.ts';
import { NO_SETTINGS } from '../domain/settings-progress.ts';
import type { EnvironmentRecord, ProjectRecord } from '../ports/records.ts';
import type { StoreReader, StoreTransaction } from '../ports/store.ts';
import type { AppContext, Settings } from './context.ts';
import { now, record } from './context.ts';

export const DEV = 'dev';

/** A new project with its `dev` environment. Its repository must be there already. */
export async function insertProject(
  context: AppContext,
  tx: StoreTransaction,
  project: {
    readonly name: string;
    readonly mainCommit: string;
    readonly origin: 'story' | 'import';
    readonly actor: string;
  },
): Promise<ProjectRecord> {
  const inserted = await tx.projects.insert({
    name: project.name,
    createdAt: now(context),
    mainCommit: project.mainCommit,
    origin: project.origin,
    work: null,
    removedAt: null,
    version: 1,
  });
  await ensureEnvironment(context, tx, { project: project.name, name: DEV });
  await record(context, tx, {
    actor: project.actor,
    type: 'project.added',
    subject: `project/${project.name}`,
    data: { origin: project.origin, mainCommit: project.mainCommit },
  });
  return inserted;
}

/** Environments come into being when they are first named; each has an address of its own. */
export async function ensureEnvironment(
  context: AppContext,
  tx: StoreTransaction,
  key: { readonly project: string; readonly name: string },
): Promise<void> {
  if (await tx.environments.get(key)) return;
  // A removed project's address is given on.
  const projects = new Set((await tx.projects.list()).map((one) => one.name)).add(key.project);
  const living = (await tx.environments.list()).filter((one) => projects.has(one.project));
  const port = firstFreePort(context.settings, living);
  await tx.environments.insert({
    ...key,
    port,
    liveReleaseId: null,
    routedReleaseId: null,
    health: 'unknown',
    settings: NO_SETTINGS,
    version: 1,
  });
  await tx.topology.bump();
}

/** A name of its own for a story that names no project. Removed projects keep their names: their history does. */
export async function freeProjectName(reader: StoreReader, wanted: string): Promise<string> {
  const taken = new Set<string>();
  for (let name = wanted; ; name = freeName(wanted, taken)) {
    if (taken.has(name)) throw new Error(`no free name for ${wanted}`);
    if ((await reader.projects.get(name)) === null) return name;
    taken.add(name);
  }
}

export function requireProjectName(name: string): void {
  if (!PROJECT_NAME_PATTERN.test(name)) {
    throw new ProblemError(
      'invalid_request',
      `"${name}" is no project name: use 1 to 48 of a-z, 0-9 and -, neither first nor last a hyphen`,
    );
  }
}

export async function requireProject(reader: StoreReader, name: string): Promise<ProjectRecord> {
  const project = await reader.projects.get(name);
  if (!project || project.removedAt !== null) {
    const names = (await reader.projects.list()).map((one) => one.name);
    throw new ProblemError(
      'not_found',
      `there is no project ${name}; ${names.length > 0 ? `there are: ${names.slice(0, 20).join(', ')}` : 'there is none yet'}`,
    );
  }
  return project;
}

function firstFreePort(
  { firstGatewayPort, gatewayPortCount }: Settings,
  environments: readonly EnvironmentRecord[],
): number {
  const taken = new Set(environments.map((one) => one.port));
  const limit = gatewayPortCount === null ? Number.POSITIVE_INFINITY : firstGatewayPort + gatewayPortCount;
  for (let port = firstGatewayPort; port < limit; port++) if (!taken.has(port)) return port;
  throw new ProblemError(
    'conflict',
    `all ${gatewayPortCount} ports for sites are taken; remove a project that is not needed, or start the box with a larger DBOX_GATEWAY_PORT_COUNT`,
  );
}
