import { readFile } from 'node:fs/promises';
import type { Target } from '@dbox/contracts';
import { createEngine } from '../../engine/engine.ts';
import type { ImageDetail } from '../../engine/engine-answers.ts';
import { hasCode } from '../../engine/engine-error.ts';
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
import { type ContainerLimits, DEFAULT_LIMITS, releaseSpec, SETTINGS_SCRIPT } from './container-template.ts';
import { createEngineObserver } from './engine-observer.ts';
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

/** What the engine says of a start that the image itself makes impossible. */
const IMAGES_FAULT =
  /executable file not found|no such file or directory|permission denied|exec format error/i;

/** Releases as containers of their own, on a network without a way out. */
export function createContainerTarget(o: ContainerTargetOptions): DeploymentTarget {
  const names = createNames(o.box);
  const engine = createEngine({ socketPath: o.socketPath, box: o.box });
  const volumes = createVolumes({ engine, names });
  const shelf = createImageShelf({ engine, names });
  const observer = createEngineObserver({ engine });
  const limits = o.limits ?? DEFAULT_LIMITS;

  async function start(run: ReleaseRun, { onLine }: { onLine: LineSink }): Promise<RunningRelease> {
    const name = names.release(run.releaseId);
    const id = await findImage(run);
    const image = id === null ? null : await engine.inspectImage(id);
    if (id === null || image === null) throw new Error(`the image of ${run.releaseId} is not on this engine`);
    const planned = run.runPlan.kind === 'dockerfile' ? run.runPlan.port : null;
    const choice = choosePort({ planned, exposed: Object.keys(image.Config?.ExposedPorts ?? {}) });
    if (!choice.ok) return neverBegan({ kind: 'tcp', host: name, port: 1 }, choice.detail);
    const { port, whySilent } = choice;

    const [dataVolume, settings] = await Promise.all([
      volumes.ensureData(run),
      placeSettings(run, image, onLine),
    ]);
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
    await engine.createContainer(name, spec);
    try {
      await engine.startContainer(name);
    } catch (error) {
      if (!hasCode(error, 'failed') || !IMAGES_FAULT.test(String(error))) {
        // Its answer may have been lost, and it may run.
        await engine.removeContainer(name).catch(() => undefined);
        throw error;
      }
      return neverBegan({ kind: 'tcp', host: name, port }, (error as Error).message);
    }
    const target = await targetOf(name, port);
    return follow({ name, target, whySilent, since: null, onLine });
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
    const { volume, hasShell } = await volumes.putSettings(run, image.Id, run.settings);
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
    if (run.image !== null && (await engine.inspectImage(run.image)) !== null) return run.image;
    const tagged = await engine.inspectImage(names.image(run.project, run.commit));
    return tagged?.Config?.Labels[LABELS.commit] === run.commit ? tagged.Id : null;
  }

  async function recover(): Promise<readonly FormerRelease[]> {
    const found = await engine.listContainers();
    // What held volumes when the former life was cut.
    const carriers = found.filter(({ Labels }) => Labels[LABELS.role] === 'carrier');
    await Promise.all(carriers.map(({ Id }) => engine.removeContainer(Id)));
    return found
      .filter(({ Labels }) => Labels[LABELS.role] === 'release' && Labels[LABELS.release] !== undefined)
      .map(({ Labels, State }) => {
        const releaseId = Labels[LABELS.release]!;
        const name = names.release(releaseId);
        const port = Number(Labels[LABELS.port]);
        return {
          releaseId,
          isRunning: State === 'running',
          async take({ since, onLine }) {
            const target = await targetOf(name, port);
            return follow({ name, target, whySilent: null, since, onLine });
          },
        };
      });
  }

  return {
    refusal: () => null,
    build: (run, options) =>
      buildRelease({ ...options, run, engine, names, readNpmrc: () => readNpmrc(o.npmrcFile) }).then(
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
      const found = await engine.listContainers([`${LABELS.role}=release`]);
      return found.flatMap(({ Labels, State }) => {
        const releaseId = Labels[LABELS.release];
        return releaseId === undefined ? [] : [{ releaseId, isRunning: State === 'running' }];
      });
    },
    async forget(releaseId) {
      await engine.removeContainer(names.carrier(releaseId));
      await engine.removeContainer(names.release(releaseId));
      await volumes.removeSettings(releaseId);
    },
    keepBuilds: shelf.keepOnly,
    async warnings() {
      await engine.version();
      return inspectDevNetwork({ engine, network: o.network, isOnIt: o.reach === 'name' });
    },
    observer,
  };
}

async function readNpmrc(file: string | null): Promise<string | null> {
  if (file === null) return null;
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`DBOX_NPMRC_FILE cannot be read: ${(error as Error).message}`);
  }
}
