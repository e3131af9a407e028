import { scryptSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../../../engine/engine.ts';
import type { ImageDetail } from '../../../engine/engine-answers.ts';
import { EngineError, hasCode } from '../../../engine/engine-error.ts';
import { LABELS, type Names, shortHash } from '../../../engine/names.ts';
import type { LineSink, ReleaseRun } from '../../target.ts';
import type { ComposePlan, ComposeService } from '../compose-file/compose-plan.ts';
import { readComposeFile } from '../compose-file/read-compose-file.ts';
import type { Limits } from '../compose-file/read-limits.ts';
import {
  type ContainerLimits,
  DATA_DIR,
  placeLabels,
  SETTINGS_DIR,
  volumeMount,
} from '../container-template.ts';
import { describeErrors } from '../findings/finding-list.ts';
import { refuseLabels } from '../image-faults.ts';
import { choosePort } from '../image-port.ts';
import type { Volumes } from '../volumes.ts';
import type { ProjectManifest } from './project-manifest.ts';
import { serviceSpec } from './service-template.ts';

/** A database that makes its directory for the first time needs some of this. */
const HEALTHY_TIMEOUT_MS = 90_000;
const JOB_TIMEOUT_MS = 300_000;
const LOOK_EVERY_MS = 100;
const DEFAULT_STOP_GRACE_MS = 10_000;

/** What the project itself makes impossible: a sentence for its log. */
export class ProjectRefused extends Error {
  override readonly name = 'ProjectRefused';
}

export interface StartedProject {
  readonly web: { readonly container: string; readonly port: number; readonly whySilent: string | null };
  /** The containers beside it that are of the release. */
  readonly parts: readonly { readonly container: string; readonly service: string }[];
}

export interface ProjectStart {
  readonly run: ReleaseRun;
  readonly manifest: ProjectManifest;
  readonly engine: Engine;
  readonly names: Names;
  readonly volumes: Volumes;
  /** The network on which the gateway reaches the web service, and that alone. */
  readonly devNetwork: string;
  readonly limits: ContainerLimits;
  readonly most: Limits;
  readonly signal: AbortSignal | undefined;
  readonly onLine: LineSink;
}

/**
 * Starts a project's services in their order: what lives on is made only where it is not there or was
 * defined otherwise; all else is new, on a network of this release alone, so that two releases beside
 * each other never talk to each other's.
 */
export async function startProject(o: ProjectStart): Promise<StartedProject> {
  const { run, names, engine } = o;
  const plan = readPlan(o);
  const shared = names.network(run);
  await engine.createInternalNetwork(shared, placeLabels(run));
  const own = names.releaseNetwork(run.releaseId);
  await engine.createInternalNetwork(own, { ...placeLabels(run), [LABELS.release]: run.releaseId });

  const parts: { container: string; service: string }[] = [];
  let web: StartedProject['web'] | null = null;
  for (const service of plan.services) {
    o.signal?.throwIfAborted();
    await waitFor(o, plan, service);
    const image = await imageOf(o, service.name);
    if (service.role === 'stateful') {
      await ensureService(o, service, image, shared);
      continue;
    }
    const isWeb = service.role === 'web';
    const container = isWeb ? names.release(run.releaseId) : names.part(run.releaseId, service.name);
    const port = isWeb ? portOf(service, image) : null;
    await createPart(o, { service, image, container, port: port?.port ?? null, network: own });
    await engine.connectNetwork(shared, container, []);
    if (isWeb) await engine.connectNetwork(o.devNetwork, container, []);
    await engine.startContainer(container);
    if (service.role === 'job') await runToItsEnd(o, service, container);
    else if (port !== null) web = { container, ...port };
    else parts.push({ container, service: service.name });
  }
  if (web === null) throw new ProjectRefused('the compose file has no service that serves the site');
  return { web, parts };
}

function readPlan({ run, manifest, names, most }: ProjectStart): ComposePlan {
  const { plan, findings } = readComposeFile({
    text: manifest.composeFile,
    file: manifest.path,
    settings: run.settings,
    boxName: names.box,
    most,
  });
  if (plan === null) throw new ProjectRefused(describeErrors(findings));
  return plan;
}

async function imageOf({ manifest, engine }: ProjectStart, service: string): Promise<ImageDetail> {
  const id = manifest.images[service];
  const image = id === undefined ? null : await engine.inspectImage(id);
  if (image === null) throw new EngineError('not_found', `the image of the service ${service} is gone`);
  const refusal = refuseLabels(image);
  if (refusal !== null) throw new ProjectRefused(`the service ${service}: ${refusal}`);
  return image;
}

function portOf(service: ComposeService, image: ImageDetail) {
  const exposed = Object.keys(image.Config?.ExposedPorts ?? {});
  const choice = choosePort({ planned: service.port, exposed });
  if (!choice.ok) throw new ProjectRefused(choice.detail);
  return { port: choice.port, whySilent: choice.whySilent };
}

/** A service that all releases of the environment share. */
async function ensureService(
  o: ProjectStart,
  service: ComposeService,
  image: ImageDetail,
  network: string,
): Promise<void> {
  const { run, engine, names } = o;
  const container = names.service(run, service.name);
  const definition = definitionOf(service, image.Id);
  const found = await engine.inspectContainer(container);
  if (found !== null && found.Config.Labels[LABELS.definition] === definition) {
    if (!found.State.Running) await engine.startContainer(container);
    return;
  }
  if (found !== null) {
    o.onLine(
      'stdout',
      `the service ${service.name} is defined otherwise now: it is made anew on its volumes`,
    );
    await engine.stopContainer(container, service.stopGraceMs ?? DEFAULT_STOP_GRACE_MS);
    await engine.removeContainer(container);
  }
  const settings = await placeSecrets(o, { service, container, image, isOfRelease: false });
  const spec = serviceSpec({
    service,
    image: image.Id,
    imageCommand: commandOf(image),
    labels: { ...placeLabels(run), [LABELS.role]: 'service', [LABELS.definition]: definition },
    network,
    aliases: [service.name, ...service.aliases],
    mounts: [...volumesOf(o, service), ...settings.mounts],
    boxEnvironment: {},
    hasSettings: settings.areRead,
    limits: o.limits,
    restarts: true,
  });
  await engine.createContainer(container, spec);
  await engine.startContainer(container);
}

async function createPart(
  o: ProjectStart,
  part: {
    readonly service: ComposeService;
    readonly image: ImageDetail;
    readonly container: string;
    readonly port: number | null;
    readonly network: string;
  },
): Promise<void> {
  const { run, engine } = o;
  const { service, image, container, port } = part;
  const isBuilt = service.source.kind === 'build';
  const settings = await placeSecrets(o, { service, container, image, isOfRelease: true });
  const place = { [LABELS.box]: o.names.box, ...placeLabels(run) };
  const data = isBuilt
    ? [volumeMount({ volume: await o.volumes.ensureData(run), at: DATA_DIR, labels: place })]
    : [];
  const spec = serviceSpec({
    service,
    image: image.Id,
    imageCommand: commandOf(image),
    labels: {
      ...placeLabels(run),
      [LABELS.release]: run.releaseId,
      [LABELS.commit]: run.commit,
      [LABELS.service]: service.name,
      [LABELS.role]: port === null ? 'part' : 'release',
      ...(port === null ? {} : { [LABELS.port]: String(port) }),
    },
    network: part.network,
    aliases: [service.name, ...service.aliases],
    mounts: [...data, ...volumesOf(o, service), ...settings.mounts],
    boxEnvironment: {
      ...(isBuilt ? { NODE_ENV: 'production', HOST: '0.0.0.0', DATA_DIR } : {}),
      ...(port === null ? {} : { PORT: String(port) }),
      DBOX_RELEASE: run.releaseId,
      DBOX_COMMIT: run.commit,
    },
    hasSettings: settings.areRead,
    limits: o.limits,
    restarts: false,
  });
  await engine.createContainer(container, spec);
}

function volumesOf({ run, names }: ProjectStart, service: ComposeService) {
  const labels = { [LABELS.box]: names.box, ...placeLabels(run) };
  return service.volumes.map(({ volume, path, readOnly }) =>
    volumeMount({ volume: names.serviceVolume(run, volume), at: path, labels, isReadOnly: readOnly }),
  );
}

/** What of its variables is secret, as files in a volume of its own. */
async function placeSecrets(
  o: ProjectStart,
  of: { service: ComposeService; container: string; image: ImageDetail; isOfRelease: boolean },
) {
  const { service, container, image, isOfRelease } = of;
  const settings = Object.fromEntries(
    service.secretNames.map((key) => [key, service.environment[key] ?? '']),
  );
  if (service.secretNames.length === 0) return { mounts: [], areRead: false };
  const put = await o.volumes.putSettings({
    owner: o.run,
    container,
    image: image.Id,
    settings,
    isOfRelease,
  });
  if (!put.hasShell) {
    o.onLine(
      'stderr',
      `the image of ${service.name} has no /bin/sh: its settings are files in ${SETTINGS_DIR}`,
    );
  }
  const labels = { [LABELS.box]: o.names.box, ...placeLabels(o.run) };
  const mounts = [volumeMount({ volume: put.volume, at: SETTINGS_DIR, labels, isReadOnly: true })];
  return { mounts, areRead: put.hasShell };
}

function commandOf(image: ImageDetail) {
  return { entrypoint: image.Config?.Entrypoint ?? [], cmd: image.Config?.Cmd ?? [] };
}

/**
 * What a service that lives on was made from. It stands in a label that anybody may read who may look at
 * the engine, so what is secret goes through a slow hash first: it cannot be guessed by trying words.
 */
function definitionOf(service: ComposeService, image: string): string {
  const { secretNames, environment, waitsFor: _, ...rest } = service;
  const secret = JSON.stringify(secretNames.map((key) => [key, environment[key]]));
  const open = Object.entries(environment).filter(([key]) => !secretNames.includes(key));
  const slow = secretNames.length === 0 ? '' : scryptSync(secret, service.name, 16).toString('hex');
  return shortHash(JSON.stringify(rest), JSON.stringify(open), slow, image);
}

/** Until what the service needs has come as far as it asks for. */
async function waitFor(o: ProjectStart, plan: ComposePlan, service: ComposeService): Promise<void> {
  for (const { service: name, until } of service.waitsFor) {
    const needed = plan.services.find((one) => one.name === name);
    // A job has been waited for when it was started.
    if (!needed || until !== 'healthy' || needed.role === 'job') continue;
    await untilHealthy(o, needed);
  }
}

async function untilHealthy(o: ProjectStart, service: ComposeService): Promise<void> {
  const { run, engine, names } = o;
  const container =
    service.role === 'stateful'
      ? names.service(run, service.name)
      : service.role === 'web'
        ? names.release(run.releaseId)
        : names.part(run.releaseId, service.name);
  const deadlineMs = performance.now() + HEALTHY_TIMEOUT_MS;
  for (;;) {
    o.signal?.throwIfAborted();
    const found = await engine.inspectContainer(container);
    // What has no health check is healthy when it runs.
    if (found?.State.Running && (found.State.Health?.Status ?? 'healthy') === 'healthy') return;
    const hasEnded = found !== null && !found.State.Running && found.State.Status === 'exited';
    if (found === null || hasEnded || performance.now() > deadlineMs) {
      await tellLog(o, service.name, container);
      const how = hasEnded ? `ended (exit ${found.State.ExitCode})` : `is not healthy`;
      throw new ProjectRefused(`the service ${service.name}, which others wait for, ${how}`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

async function runToItsEnd(o: ProjectStart, service: ComposeService, container: string): Promise<void> {
  const { engine } = o;
  const timeout = AbortSignal.timeout(JOB_TIMEOUT_MS);
  const signal = o.signal ? AbortSignal.any([o.signal, timeout]) : timeout;
  try {
    await engine.waitForExit(container, signal);
  } catch (error) {
    o.signal?.throwIfAborted();
    if (!timeout.aborted) throw error;
  }
  const found = await engine.inspectContainer(container);
  await tellLog(o, service.name, container);
  const isGood = found !== null && !found.State.Running && found.State.ExitCode === 0;
  await engine.removeContainer(container);
  if (isGood) return;
  const how = found?.State.Running
    ? `took over ${JOB_TIMEOUT_MS / 1000} s`
    : `failed (exit ${found?.State.ExitCode})`;
  throw new ProjectRefused(`the service ${service.name}, which runs before the others, ${how}`);
}

/** What it has printed, into the release's log. */
async function tellLog(o: ProjectStart, service: string, container: string): Promise<void> {
  const signal = AbortSignal.timeout(5_000);
  await o.engine
    .readLogEnd(container, signal, (stream, line) => o.onLine(stream, `${service}: ${line}`))
    .catch((error) => {
      if (!hasCode(error, 'not_found')) o.onLine('stderr', `the log of ${service} cannot be read`);
    });
}
