/**
 * A project's own compose file as the box understood it: everything here was read, checked and written
 * anew, nothing is passed through. It may hold values of settings, so it is never logged or stored.
 */
export interface ComposePlan {
  /** In the order to start them: whatever a service waits for stands before it. */
  readonly services: readonly ComposeService[];
  /** The name of the one service that gets the traffic. */
  readonly web: string;
  /** Named volumes that some service mounts, by the names of the file; they live on across releases. */
  readonly volumes: readonly string[];
}

/**
 * `web` gets the traffic; `app` works beside it (a worker); `job` runs to its end before others start
 * (a migration): these three are of one release and switch with it. `stateful` (a database) is shared by
 * all releases of the environment and lives on.
 */
export type ServiceRole = 'web' | 'app' | 'job' | 'stateful';

export interface ComposeService {
  /** Also the host name by which the others of the project reach it. */
  readonly name: string;
  readonly role: ServiceRole;
  readonly source: ServiceSource;
  /** Null: the image's own. An empty list: none. */
  readonly command: readonly string[] | null;
  readonly entrypoint: readonly string[] | null;
  readonly environment: Readonly<Record<string, string>>;
  /** Names in `environment` whose values hold something of a setting: not for anybody's eyes. */
  readonly secretNames: readonly string[];
  /** Where it listens, for the web service; null: the one port its image exposes, else `PORT`. */
  readonly port: number | null;
  /** More host names, within the project's network alone. */
  readonly aliases: readonly string[];
  readonly hostname: string | null;
  readonly volumes: readonly ServiceVolume[];
  readonly tmpfs: readonly { readonly path: string; readonly sizeBytes: number | null }[];
  readonly waitsFor: readonly ServiceWait[];
  /** Null: the image's own, if it has one. */
  readonly healthcheck: Healthcheck | 'none' | null;
  readonly user: string | null;
  readonly workingDir: string | null;
  readonly stopGraceMs: number | null;
  readonly stopSignal: string | null;
  readonly init: boolean;
  readonly readOnly: boolean;
  readonly shmBytes: number | null;
  /** Not above what the box allows one container; null: the box's own choice. */
  readonly limits: {
    readonly memoryBytes: number | null;
    readonly cpus: number | null;
    readonly pids: number | null;
  };
}

export type ServiceSource =
  | { readonly kind: 'image'; readonly image: string }
  | {
      readonly kind: 'build';
      /** Relative to the commit's root, with `/`; `.` for the root itself. */
      readonly context: string;
      /** Relative to the commit's root. */
      readonly dockerfile: string;
      readonly args: Readonly<Record<string, string>>;
      readonly target: string | null;
    };

export interface ServiceVolume {
  /** One of the plan's `volumes`. */
  readonly volume: string;
  readonly path: string;
  readonly readOnly: boolean;
}

export interface ServiceWait {
  readonly service: string;
  readonly until: 'started' | 'healthy' | 'completed';
}

export interface Healthcheck {
  /** `['CMD', …]` or `['CMD-SHELL', line]`, as the engine takes it. */
  readonly test: readonly string[];
  readonly intervalMs: number | null;
  readonly timeoutMs: number | null;
  readonly startPeriodMs: number | null;
  readonly startIntervalMs: number | null;
  readonly retries: number | null;
}
