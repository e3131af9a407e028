import { Readable } from 'node:stream';
import type { Engine } from '../../engine/engine.ts';
import { EngineError } from '../../engine/engine-error.ts';
import type { Names } from '../../engine/names.ts';
import { LABELS } from '../../engine/names.ts';
import { tarOf } from '../../engine/tar-archive.ts';
import { carrierSpec, DATA_DIR, placeLabels, SETTINGS_DIR, volumeMount } from './container-template.ts';
import { settingsFiles } from './settings-files.ts';

const BUILD_TIMEOUT_MS = 60_000;

interface Owner {
  readonly releaseId: string;
  readonly project: string;
  readonly environment: string;
}

export type Volumes = ReturnType<typeof createVolumes>;

/** The engine's volumes that releases are given: nothing of the host is ever mounted. */
export function createVolumes(o: { readonly engine: Engine; readonly names: Names }) {
  const { engine, names } = o;
  let seed: Promise<string> | null = null;

  return {
    /**
     * The environment's `DATA_DIR`, writable for whichever user the image has. A new volume takes over
     * the mode of what the image holds at its place, so it is first given to a container of an image
     * that holds one directory anybody may write to; nobody but this environment's releases sees it.
     */
    async ensureData(owner: Owner): Promise<string> {
      const volume = names.dataVolume(owner);
      const found = await engine.inspectVolume(volume);
      if (found !== null) {
        if (found.Labels[LABELS.box] === names.box) return volume;
        throw new EngineError('refused', `the volume ${volume} is not of the box ${names.box}`);
      }
      const labels = placeLabels(owner);
      const mounts = [volumeMount({ volume, at: DATA_DIR, labels: { ...labels, [LABELS.box]: names.box } })];
      await withCarrier(owner, await seedImage(), mounts, async () => undefined);
      return volume;
    },

    /** The settings as files in a volume of the container's own. Says whether its image has a shell to read them. */
    async putSettings(o2: {
      readonly owner: Owner;
      readonly container: string;
      readonly image: string;
      readonly settings: Readonly<Record<string, string>>;
      /** Goes with its release. */
      readonly isOfRelease: boolean;
    }): Promise<{ volume: string; hasShell: boolean }> {
      const { owner, image, settings } = o2;
      const volume = names.settingsVolume(o2.container);
      const labels = {
        ...placeLabels(owner),
        ...(o2.isOfRelease ? { [LABELS.release]: owner.releaseId } : {}),
        [LABELS.box]: names.box,
      };
      const mounts = [volumeMount({ volume, at: SETTINGS_DIR, labels })];
      return withCarrier(owner, image, mounts, async (carrier) => {
        await engine.putArchive(carrier, SETTINGS_DIR, tarOf(settingsFiles(settings)));
        return { volume, hasShell: await engine.hasFile(carrier, '/bin/sh') };
      });
    },

    /** Of all containers of the release. */
    async removeOfRelease(releaseId: string): Promise<void> {
      for (const { Name } of await engine.listVolumes([`${LABELS.release}=${releaseId}`])) {
        await engine.removeVolume(Name);
      }
    },
  };

  async function withCarrier<T>(
    owner: Owner,
    image: string,
    mounts: Parameters<typeof carrierSpec>[0]['mounts'],
    work: (carrier: string) => Promise<T>,
  ): Promise<T> {
    const carrier = names.carrier(owner.releaseId);
    const labels = { ...placeLabels(owner), [LABELS.release]: owner.releaseId };
    await engine.createContainer(carrier, carrierSpec({ image, labels, mounts }));
    try {
      return await work(carrier);
    } finally {
      await engine.removeContainer(carrier);
    }
  }

  /** Of nothing but one directory. Made once on an engine. */
  function seedImage(): Promise<string> {
    seed ??= findOrBuildSeed().catch((error) => {
      seed = null;
      throw error;
    });
    return seed;
  }

  async function findOrBuildSeed(): Promise<string> {
    const found = await engine.inspectImage(names.seedImage);
    if (found !== null) return found.Id;
    const archive = tarOf([
      { path: 'Dockerfile', kind: 'file', mode: 0o644, content: 'FROM scratch\nCOPY root/ /\n' },
      { path: 'root', kind: 'directory', mode: 0o755 },
      { path: `root${DATA_DIR}`, kind: 'directory', mode: 0o1777 },
    ]);
    const progress = await engine.build({
      context: Readable.from([archive]),
      tag: names.seedImage,
      dockerfile: 'Dockerfile',
      labels: { [LABELS.role]: 'seed' },
      signal: AbortSignal.timeout(BUILD_TIMEOUT_MS),
      timeoutMs: BUILD_TIMEOUT_MS,
    });
    for await (const message of progress) {
      const { error } = message as { error?: string };
      if (error !== undefined)
        throw new EngineError('failed', `the box's own image cannot be built: ${error}`);
    }
    const built = await engine.inspectImage(names.seedImage);
    if (built === null) throw new EngineError('failed', 'the box’s own image was built and is not there');
    return built.Id;
  }
}
