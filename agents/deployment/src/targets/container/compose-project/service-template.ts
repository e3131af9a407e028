import type { ContainerSpec, VolumeMount } from '../../../engine/container-spec.ts';
import type { ComposeService, Healthcheck } from '../compose-file/compose-plan.ts';
import { type ContainerLimits, confined, SETTINGS_DIR, SETTINGS_SCRIPT } from '../container-template.ts';

/**
 * What stock images (databases, above all) need to begin as root, hand their directory over and go on
 * as a user of their own. Only images of others get it, and only where the file names no user.
 */
const GIVE_UP_ROOT = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID'];
/** A database is asked twice a second until it is healthy: whatever waits for it waits for that. */
const START_INTERVAL_MS = 500;
const START_PERIOD_MS = 60_000;
const INTERVAL_MS = 10_000;
const MB = 1024 * 1024;

export interface ServiceContainer {
  readonly service: ComposeService;
  /** An id, `sha256:…`. */
  readonly image: string;
  readonly imageCommand: { readonly entrypoint: readonly string[]; readonly cmd: readonly string[] };
  readonly labels: Readonly<Record<string, string>>;
  readonly network: string;
  readonly aliases: readonly string[];
  readonly mounts: readonly VolumeMount[];
  /** What the box itself tells each release. */
  readonly boxEnvironment: Readonly<Record<string, string>>;
  /** Whether its secret variables come from files. */
  readonly hasSettings: boolean;
  readonly limits: ContainerLimits;
  /** The engine restarts what lives on; the agent restarts releases. */
  readonly restarts: boolean;
}

/** A service of a project's own compose file, as the box lets it run. */
export function serviceSpec(o: ServiceContainer): ContainerSpec {
  const { service } = o;
  const base = confined({
    memoryMb: Math.floor((service.limits.memoryBytes ?? o.limits.memoryMb * MB) / MB),
    cpus: service.limits.cpus ?? o.limits.cpus,
    processes: service.limits.pids ?? o.limits.processes,
  });
  const secret = new Set(service.secretNames);
  const variables = {
    ...o.boxEnvironment,
    ...Object.fromEntries(Object.entries(service.environment).filter(([key]) => !secret.has(key))),
  };
  const isOthers = service.source.kind === 'image' && service.user === null;
  // The engine lets a container be found by its host name on every network that it is on: on the one of
  // all releases it could stand in for another project's, or for a service of the box.
  const isOnDev = service.role === 'web';
  const aliases = isOnDev && service.hostname !== null ? [...o.aliases, service.hostname] : o.aliases;
  const healthcheck = healthcheckOf(service.healthcheck, o.hasSettings);
  return {
    Image: o.image,
    ...(service.user === null ? {} : { User: service.user }),
    ...(service.workingDir === null ? {} : { WorkingDir: service.workingDir }),
    ...(service.hostname === null || isOnDev ? {} : { Hostname: service.hostname }),
    ...(service.stopSignal === null ? {} : { StopSignal: service.stopSignal }),
    ...(service.stopGraceMs === null ? {} : { StopTimeout: Math.ceil(service.stopGraceMs / 1000) }),
    ...commandOf(o),
    Env: Object.entries(variables).map(([key, value]) => `${key}=${value}`),
    Labels: o.labels,
    ...(healthcheck === null ? {} : { Healthcheck: healthcheck }),
    HostConfig: {
      ...base,
      NetworkMode: o.network,
      // An init that is root cannot pass a signal on to what has become another user: it would have to
      // hold one more capability. The engine itself can, where what is stopped is process 1.
      Init: service.source.kind === 'build' || service.init,
      ...(isOthers ? { CapAdd: GIVE_UP_ROOT } : {}),
      ReadonlyRootfs: service.readOnly,
      Tmpfs: { ...base.Tmpfs, ...tmpfsOf(service, base.Memory) },
      Mounts: o.mounts,
      ...(service.shmBytes === null ? {} : { ShmSize: Math.min(service.shmBytes, base.Memory) }),
      RestartPolicy: { Name: o.restarts ? 'unless-stopped' : 'no' },
    },
    NetworkingConfig: { EndpointsConfig: { [o.network]: { Aliases: aliases } } },
  };
}

/** It counts as memory, so more than that is none. */
function tmpfsOf(service: ComposeService, mostBytes: number): Readonly<Record<string, string>> {
  return Object.fromEntries(
    service.tmpfs.map(({ path, sizeBytes }) => [
      path,
      `rw,noexec,nosuid,nodev,mode=1777,size=${Math.min(sizeBytes ?? 64 * MB, mostBytes)}`,
    ]),
  );
}

/** As Compose has it: a new entrypoint drops the image's own command. */
function commandOf({ service, imageCommand, hasSettings }: ServiceContainer) {
  const entrypoint = service.entrypoint ?? imageCommand.entrypoint;
  const cmd = service.command ?? (service.entrypoint === null ? imageCommand.cmd : []);
  if (hasSettings) {
    return {
      Entrypoint: ['/bin/sh', '-c', `. ${SETTINGS_SCRIPT}; exec "$@"`, 'dbox'],
      Cmd: [...entrypoint, ...cmd],
    };
  }
  return {
    ...(service.entrypoint === null ? {} : { Entrypoint: service.entrypoint }),
    ...(service.entrypoint === null && service.command === null ? {} : { Cmd: cmd }),
  };
}

function healthcheckOf(check: Healthcheck | 'none' | null, hasSettings: boolean) {
  if (check === null) return null;
  if (check === 'none') return { Test: ['NONE'] };
  const [kind, line = ''] = check.test;
  // The engine starts it beside the app, without what the app's own start has read.
  const isWrapped = hasSettings && kind === 'CMD-SHELL';
  const ns = (ms: number) => ms * 1_000_000;
  return {
    Test: isWrapped ? ['CMD-SHELL', `. ${SETTINGS_DIR}/env.sh; ${line}`] : check.test,
    Interval: ns(check.intervalMs ?? INTERVAL_MS),
    Timeout: ns(check.timeoutMs ?? INTERVAL_MS),
    Retries: check.retries ?? 3,
    StartPeriod: ns(check.startPeriodMs ?? START_PERIOD_MS),
    StartInterval: ns(Math.min(check.startIntervalMs ?? START_INTERVAL_MS, check.intervalMs ?? INTERVAL_MS)),
  };
}
