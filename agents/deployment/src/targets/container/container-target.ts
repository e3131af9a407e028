import { readFile } from 'node:fs/promises';
import type { Target } from '@dbox/contracts';
import { createEngine } from '../../engine/engine.ts';
import type { ImageDetail } from '../../engine/engine-answers.ts';
import { createNames, LABELS } from '../../engine/names.ts';
import type {
  DeploymentTarget,
  FormerRelease,
  LineSink,
  ReleaseBuild,
  ReleaseRun,
  RunningRelease,
} from '../target.ts';
import { buildRelease } from './build-release.ts';
import { type ProjectManifest, readManifest } from './compose-project/project-manifest.ts';
import { joinParts } from './compose-project/project-release.ts';
import { ProjectRefused, startProject } from './compose-project/start-project.ts';
import { type ContainerLimits, DEFAULT_LIMITS, releaseSpec, SETTINGS_SCRIPT } from './container-template.ts';
import { createEngineObserver } from './engine-observer.ts';
import { isImagesFault, refuseLabels } from './image-faults.ts';
import { choosePort } from './image-port.ts';
import { createImageShelf } from './image-shelf.ts';
import { inspectDevNetwork } from './network-warnings.ts';
import { followContainer, neverBegan } from './release-container.ts';
import { createVolumes } from './volumes.ts';

export interface ContainerTargetOptions {
  /** Names this box among others on the engine. */
  readonly box: string;
  readonly socketPath: string;
  /** The internal network of releases, which the gateway and this agent are on. */
  readonly network: string;
  /**
   * How a release is reached on it: by `name` where the gateway is a container on the network, too (names
   * survive restarts), by `address` where gateway and agent are processes of the host.
   */
  readonly reach: 'name' | 'address';
  /** An `.npmrc` for installs, with the registry's address and maybe its token; null: npm's defaults. */
  readonly npmrcFile: string | null;
  readonly limits?: ContainerLimits;
}

/** A database writes down what it has in memory. */
const SERVICE_GRACE_MS = 10_000;

/** Releases as containers of their own, on a network without a way out. */
export function createContainerTarget(o: ContainerTargetOptions): DeploymentTarget {
  const names = createNames(o.box);
  const engine = createEngine({ socketPath: o.socketPath, box: o.box });
  const volumes = createVolumes({ engine, names });
  const shelf = createImageShelf({ engine, names });
  const observer = createEngineObserver({ engine });
  const limits = o.limits ?? DEFAULT_LIMITS;
  const most = { memoryBytes: limits.memoryMb * 1024 ** 2, cpus: limits.cpus, pids: limits.processes };

  async function start(
    run: ReleaseRun,
    { onLine, signal }: { onLine: LineSink; signal?: AbortSignal },
  ): Promise<RunningRelease> {
    const name = names.release(run.releaseId);
    const id = await findImage(run);
    const image = id === null ? null : await engine.inspectImage(id);
    if (id === null || image === null) throw new Error(`the image of ${run.releaseId} is not on this engine`);
    const manifest = manifestOf(run, image);
    if (manifest !== null) return startOfProject(run, manifest, { onLine, signal });
    const refusal = refuseLabels(image);
    if (refusal !== null) return neverBegan({ kind: 'tcp', host: name, port: 1 }, refusal);
    const planned = run.runPlan.kind === 'dockerfile' ? run.runPlan.port : null;
    const choice = choosePort({ planned, exposed: Object.keys(image.Config?.ExposedPorts ?? {}) });
    if (!choice.ok) return neverBegan({ kind: 'tcp', host: name, port: 1 }, choice.detail);
    const { port, whySilent } = choice;

    const dataVolume = await volumes.ensureData(run);
    const settings = await placeSettings(run, image, onLine);
    const spec = releaseSpec({
      ...run,
      ...settings,
      box: o.box,
      image: image.Id,
      user: null,
      port,
      network: o.network,
      limits,
      dataVolume,
    });
    try {
      await engine.createContainer(name, spec);
      await engine.startContainer(name);
    } catch (error) {
      if (!isImagesFault(error)) {
        // Its answer may have been lost, and it may run.
        await engine.removeContainer(name).catch(() => undefined);
        throw error;
      }
      return neverBegan({ kind: 'tcp', host: name, port }, (error as Error).message);
    }
    const target = await targetOf(name, port);
    return follow({ name, target, whySilent, since: null, onLine });
  }

  /** A project of several containers. What was begun goes where it does not come to its end. */
  async function startOfProject(
    run: ReleaseRun,
    manifest: ProjectManifest,
    { onLine, signal }: { onLine: LineSink; signal: AbortSignal | undefined },
  ): Promise<RunningRelease> {
    await forgetContainers(run.releaseId);
    const context = { run, manifest, engine, names, volumes, limits, most, signal, onLine };
    try {
      const started = await startProject({ ...context, devNetwork: o.network });
      const { container: name, port, whySilent } = started.web;
      const target = await targetOf(name, port);
      const web = follow({ name, target, whySilent, since: null, onLine });
      return join(run.releaseId, web, started.parts, { since: null, onLine });
    } catch (error) {
      await forgetContainers(run.releaseId).catch(() => undefined);
      if (!isImagesFault(error) && !(error instanceof ProjectRefused)) throw error;
      const host = names.release(run.releaseId);
      return neverBegan({ kind: 'tcp', host, port: 1 }, (error as Error).message);
    }
  }

  function join(
    releaseId: string,
    web: RunningRelease,
    parts: readonly { readonly container: string; readonly service: string }[],
    { since, onLine }: { since: string | null; onLine: LineSink },
  ): RunningRelease {
    const followed = parts.map(({ container, service }) => ({
      service,
      release: follow({
        name: container,
        target: web.target,
        whySilent: null,
        since,
        onLine: (stream, line, at) => onLine(stream, `${service}: ${line}`, at),
      }),
    }));
    const tidy = async () => {
      for (const { container } of parts) await engine.removeContainer(container);
      await engine.removeNetwork(names.releaseNetwork(releaseId));
    };
    return joinParts({ web, parts: followed, tidy });
  }

  /** All containers of a release, its network and what only they had. */
  async function forgetContainers(releaseId: string): Promise<void> {
    const found = await engine.listContainers([`${LABELS.release}=${releaseId}`]);
    await Promise.all(found.map(({ Id }) => engine.removeContainer(Id)));
    await engine.removeNetwork(names.releaseNetwork(releaseId));
  }

  /** Services that live on, of places where no release needs any (any more). */
  async function endServices(isWanted: (place: string) => boolean): Promise<void> {
    const services = await engine.listContainers([`${LABELS.role}=service`]);
    for (const { Id, Labels } of services) {
      if (isWanted(`${Labels[LABELS.project]}/${Labels[LABELS.environment]}`)) continue;
      await engine.stopContainer(Id, SERVICE_GRACE_MS);
    }
  }

  function follow(of: {
    name: string;
    target: Target;
    whySilent: string | null;
    since: string | null;
    onLine: LineSink;
  }): RunningRelease {
    const onStop = () => observer.expectEnd(of.name);
    return followContainer({ ...of, engine, memoryMb: limits.memoryMb, onStop });
  }

  /** Where the environment has any: as files, and the image's own start behind the script that reads them. */
  async function placeSettings(run: ReleaseRun, image: ImageDetail, onLine: LineSink) {
    if (Object.keys(run.settings).length === 0) return { settingsVolume: null, command: null };
    const container = names.release(run.releaseId);
    const { settings } = run;
    const put = { owner: run, container, image: image.Id, settings, isOfRelease: true };
    const { volume, hasShell } = await volumes.putSettings(put);
    if (!hasShell) {
      onLine(
        'stderr',
        'the image has no /bin/sh: its settings are files in /run/dbox/settings, not variables',
      );
      return { settingsVolume: volume, command: null };
    }
    const own = [...(image.Config?.Entrypoint ?? []), ...(image.Config?.Cmd ?? [])];
    const entrypoint = ['/bin/sh', '-c', `. ${SETTINGS_SCRIPT}; exec "$@"`, 'dbox'];
    return { settingsVolume: volume, command: { entrypoint, cmd: own } };
  }

  async function targetOf(name: string, port: number): Promise<Target> {
    if (o.reach === 'name') return { kind: 'tcp', host: name, port };
    const found = await engine.inspectContainer(name);
    const host = found?.NetworkSettings.Networks?.[o.network]?.IPAddress;
    // One that has ended already has no address any more; whoever asks hears of its end.
    return { kind: 'tcp', host: host || name, port };
  }

  async function findImage(run: ReleaseBuild): Promise<string | null> {
    const named = run.image === null ? null : await engine.inspectImage(run.image);
    const tagged = named ?? (await engine.inspectImage(names.image(run.project, run.commit)));
    if (tagged?.Config?.Labels[LABELS.commit] !== run.commit) return null;
    const manifest = manifestOf(run, tagged);
    const parts = Object.values(manifest?.images ?? {});
    const found = await Promise.all(parts.map((image) => engine.inspectImage(image)));
    return found.includes(null) ? null : tagged.Id;
  }

  async function recover(): Promise<readonly FormerRelease[]> {
    const found = await engine.listContainers();
    // What held volumes when the former life was cut.
    const carriers = found.filter(({ Labels }) => Labels[LABELS.role] === 'carrier');
    await Promise.all(carriers.map(({ Id }) => engine.removeContainer(Id)));
    const webs = found.filter(({ Labels }) => Labels[LABELS.role] === 'release' && Labels[LABELS.release]);
    const running = new Set(
      webs.filter(({ State }) => State === 'running').map(({ Labels }) => Labels[LABELS.release]),
    );
    // Beside nothing that serves they are of a start that was cut, or of a release that has ended.
    const parts = found.filter(({ Labels }) => Labels[LABELS.role] === 'part');
    const strays = parts.filter(({ Labels }) => !running.has(Labels[LABELS.release]));
    await Promise.all(strays.map(({ Id }) => engine.removeContainer(Id)));
    return webs.map(({ Labels, State }) => {
      const releaseId = Labels[LABELS.release]!;
      const name = names.release(releaseId);
      const beside = parts
        .filter((part) => part.Labels[LABELS.release] === releaseId)
        .map((part) => ({ container: part.Names[0]!.slice(1), service: part.Labels[LABELS.service] ?? '' }));
      return {
        releaseId,
        isRunning: State === 'running',
        async take({ since, onLine }: { since: string | null; onLine: LineSink }) {
          const target = await targetOf(name, Number(Labels[LABELS.port]));
          const web = follow({ name, target, whySilent: null, since, onLine });
          return beside.length === 0 ? web : join(releaseId, web, beside, { since, onLine });
        },
      };
    });
  }

  return {
    refusal: () => null,
    build: (run, options) =>
      buildRelease({ ...options, run, engine, names, most, readNpmrc: () => readNpmrc(o.npmrcFile) }).then(
        (built) => {
          if (built.ok && built.image !== null) shelf.madeNow(built.image);
          return built;
        },
      ),
    start,
    findImage,
    runsFromTree: false,
    recover,
    async listKept() {
      const found = await engine.listContainers([LABELS.release]);
      const kept = new Map<string, boolean>();
      for (const { Labels, State } of found) {
        const releaseId = Labels[LABELS.release]!;
        if (Labels[LABELS.role] === 'carrier') continue;
        kept.set(releaseId, (kept.get(releaseId) ?? false) || State === 'running');
      }
      return [...kept].map(([releaseId, isRunning]) => ({ releaseId, isRunning }));
    },
    async forget(releaseId) {
      await forgetContainers(releaseId);
      await volumes.removeOfRelease(releaseId);
    },
    async keepOnly(wanted) {
      const places = new Set(
        wanted
          .filter(({ runPlan }) => runPlan.kind === 'compose')
          .map(({ project, environment }) => `${project}/${environment}`),
      );
      await endServices((place) => places.has(place));
      await shelf.keepOnly(wanted);
    },
    close: () => endServices(() => false),
    async warnings() {
      await engine.version();
      return inspectDevNetwork({ engine, network: o.network, isOnIt: o.reach === 'name' });
    },
    observer,
  };
}

/** In an image of a project's own making it would name any image of this engine. */
function manifestOf({ runPlan }: ReleaseBuild, image: ImageDetail): ProjectManifest | null {
  return runPlan.kind === 'compose' ? readManifest(image.Config?.Labels ?? {}) : null;
}

async function readNpmrc(file: string | null): Promise<string | null> {
  if (file === null) return null;
  try {
    const text = await readFile(file, 'utf8');
    // An empty file says: npm's defaults.
    return text.trim() === '' ? null : text;
  } catch (error) {
    throw new Error(`DBOX_NPMRC_FILE cannot be read: ${(error as Error).message}`);
  }
}
