import { posix } from 'node:path';
import type { ContainerSpec, VolumeMount } from '../../engine/container-spec.ts';
import { LABELS } from '../../engine/names.ts';

export const DATA_DIR = '/data';
export const SETTINGS_DIR = '/run/dbox/settings';
/** Read by the wrapped entrypoint before the app begins. */
export const SETTINGS_SCRIPT = posix.join(SETTINGS_DIR, 'env.sh');

export interface ContainerLimits {
  readonly memoryMb: number;
  readonly cpus: number;
  readonly processes: number;
}

/** As for releases that are processes: a gigabyte; more processes than any honest app needs. */
export const DEFAULT_LIMITS: ContainerLimits = { memoryMb: 1024, cpus: 1, processes: 256 };
/** `/tmp` counts as memory. Nothing in it can be executed. */
const TMPFS = 'rw,noexec,nosuid,nodev,size=128m,mode=1777';
/** Thirty megabytes a container at most. */
const LOG_ROTATION = { 'max-size': '10m', 'max-file': '3' };

export interface ReleaseContainer {
  readonly box: string;
  readonly releaseId: string;
  readonly project: string;
  readonly environment: string;
  readonly commit: string;
  /** An id, `sha256:…`: a name could be moved under it. */
  readonly image: string;
  /** Null: what the image says. */
  readonly user: string | null;
  readonly port: number;
  readonly network: string;
  readonly limits: ContainerLimits;
  readonly dataVolume: string;
  /** Null: the environment has no settings. */
  readonly settingsVolume: string | null;
  /** With settings: the image's own start, behind the script that reads them. Null: as the image says. */
  readonly command: { readonly entrypoint: readonly string[]; readonly cmd: readonly string[] } | null;
}

/** All that a release's container may be. The one place where the profile of foreign code is written. */
export function releaseSpec(o: ReleaseContainer): ContainerSpec {
  const place = { [LABELS.box]: o.box, ...placeLabels(o) };
  const labels = { ...place, [LABELS.release]: o.releaseId };
  return {
    Image: o.image,
    ...(o.user === null ? {} : { User: o.user }),
    ...(o.command === null ? {} : { Entrypoint: o.command.entrypoint, Cmd: o.command.cmd }),
    Env: [
      'NODE_ENV=production',
      'HOST=0.0.0.0',
      `PORT=${o.port}`,
      `DATA_DIR=${DATA_DIR}`,
      'HOME=/tmp',
      `DBOX_RELEASE=${o.releaseId}`,
      `DBOX_COMMIT=${o.commit}`,
    ],
    Labels: {
      ...labels,
      [LABELS.commit]: o.commit,
      [LABELS.role]: 'release',
      [LABELS.port]: String(o.port),
      [LABELS.image]: o.image,
    },
    HostConfig: {
      ...confined(o.limits),
      NetworkMode: o.network,
      Mounts: [
        volumeMount({ volume: o.dataVolume, at: DATA_DIR, labels: place }),
        ...(o.settingsVolume === null
          ? []
          : [volumeMount({ volume: o.settingsVolume, at: SETTINGS_DIR, labels, isReadOnly: true })]),
      ],
    },
    NetworkingConfig: { EndpointsConfig: { [o.network]: {} } },
  };
}

/** A container that is never started: it holds volumes while files are put into them. */
export function carrierSpec(o: {
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly VolumeMount[];
}): ContainerSpec {
  return {
    Image: o.image,
    Cmd: ['never-started'],
    Env: [],
    Labels: { ...o.labels, [LABELS.role]: 'carrier' },
    HostConfig: { ...confined(DEFAULT_LIMITS), NetworkMode: 'none', Mounts: o.mounts },
    NetworkingConfig: { EndpointsConfig: {} },
  };
}

export function confined(limits: ContainerLimits) {
  const memoryBytes = limits.memoryMb * 1024 * 1024;
  return {
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges:true'],
    Privileged: false,
    ReadonlyRootfs: true,
    Tmpfs: { '/tmp': TMPFS },
    Memory: memoryBytes,
    // The same number: no swap.
    MemorySwap: memoryBytes,
    NanoCpus: Math.round(limits.cpus * 1_000_000_000),
    PidsLimit: limits.processes,
    // Reaps what the app leaves behind, and passes signals on to apps that are not made to be process 1.
    Init: true,
    LogConfig: { Type: 'json-file', Config: LOG_ROTATION },
    // The agent restarts it, and knows when to stop doing so.
    RestartPolicy: { Name: 'no' },
    PublishAllPorts: false,
    IpcMode: 'private',
    CgroupnsMode: 'private',
  } as const;
}

export function volumeMount(o: {
  readonly volume: string;
  readonly at: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly isReadOnly?: boolean;
}): VolumeMount {
  return {
    Type: 'volume',
    Source: o.volume,
    Target: o.at,
    ReadOnly: o.isReadOnly ?? false,
    VolumeOptions: { Labels: o.labels },
  };
}

export function placeLabels(o: { readonly project: string; readonly environment: string }) {
  return { [LABELS.project]: o.project, [LABELS.environment]: o.environment };
}
