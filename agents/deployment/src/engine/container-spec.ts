/** The part of the engine's container JSON that this box ever writes; nothing else can be said. */
export interface ContainerSpec {
  readonly Image: string;
  readonly User?: string;
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly Hostname?: string;
  readonly Env: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  /** Seconds. */
  readonly StopTimeout?: number;
  readonly Healthcheck?: {
    readonly Test: readonly string[];
    readonly Interval?: number;
    readonly Timeout?: number;
    readonly Retries?: number;
    readonly StartPeriod?: number;
    readonly StartInterval?: number;
  };
  readonly HostConfig: {
    readonly NetworkMode: string;
    readonly CapDrop: readonly ['ALL'];
    readonly CapAdd?: readonly string[];
    readonly SecurityOpt: readonly ['no-new-privileges:true'];
    readonly Privileged: false;
    readonly ReadonlyRootfs: boolean;
    readonly Tmpfs: Readonly<Record<string, string>>;
    readonly Mounts: readonly VolumeMount[];
    readonly Memory: number;
    readonly MemorySwap: number;
    readonly NanoCpus: number;
    readonly PidsLimit: number;
    readonly ShmSize?: number;
    readonly Init: boolean;
    readonly LogConfig: { readonly Type: 'json-file'; readonly Config: Readonly<Record<string, string>> };
    readonly RestartPolicy: { readonly Name: 'no' | 'unless-stopped' };
    readonly PublishAllPorts: false;
    readonly IpcMode: 'private';
    readonly CgroupnsMode: 'private';
  };
  readonly NetworkingConfig: {
    readonly EndpointsConfig: Readonly<Record<string, { readonly Aliases?: readonly string[] }>>;
  };
}

/** A volume of the engine's own. Nothing of the host is ever mounted. */
export interface VolumeMount {
  readonly Type: 'volume';
  readonly Source: string;
  readonly Target: string;
  readonly ReadOnly: boolean;
  readonly VolumeOptions: { readonly Labels: Readonly<Record<string, string>> };
}
