/** What a service's key is, where it is not read: why it is refused, or that it does nothing here. */

export interface Refusal {
  readonly message: string;
  readonly hint: string;
}

const OWN_NAMESPACES = 'Leave it out: each container has its own.';
const FIXED = 'Leave it out: the box decides it for all containers alike.';

/** Refused by name. Each would open the host, another project, or a file of the host to the container. */
export const REFUSED_KEYS: Readonly<Record<string, Refusal>> = {
  privileged: { message: 'A privileged container is root on this machine.', hint: 'Leave `privileged` out.' },
  cap_add: {
    message: 'Containers get no capabilities.',
    hint: 'Leave `cap_add` out, and listen on a port above 1023.',
  },
  devices: { message: 'Containers get no devices of this machine.', hint: 'Leave `devices` out.' },
  device_cgroup_rules: { message: 'Containers get no devices of this machine.', hint: 'Leave it out.' },
  gpus: { message: 'Containers get no devices of this machine.', hint: 'Leave `gpus` out.' },
  network_mode: {
    message: 'The network of a container cannot be chosen.',
    hint: 'Leave `network_mode` out: the services of one project reach each other by their names.',
  },
  pid: { message: 'A container cannot share processes with others.', hint: OWN_NAMESPACES },
  ipc: { message: 'A container cannot share memory with others.', hint: OWN_NAMESPACES },
  uts: { message: 'A container cannot share the host name.', hint: OWN_NAMESPACES },
  userns_mode: { message: 'A container cannot share the users of this machine.', hint: OWN_NAMESPACES },
  cgroup: { message: 'A container cannot share its control group.', hint: OWN_NAMESPACES },
  cgroup_parent: { message: 'A container cannot choose its control group.', hint: FIXED },
  volumes_from: {
    message: 'A container cannot take the volumes of another.',
    hint: 'Name the volume in `volumes` of both services.',
  },
  security_opt: {
    message: 'The fences of a container cannot be changed.',
    hint: 'Leave `security_opt` out.',
  },
  sysctls: { message: 'Kernel settings cannot be changed.', hint: 'Leave `sysctls` out.' },
  extra_hosts: {
    message: 'Host names cannot be added, least of all for this machine.',
    hint: 'Leave `extra_hosts` out: the services of one project reach each other by their names.',
  },
  external_links: { message: 'A service cannot reach containers of others.', hint: 'Leave it out.' },
  env_file: {
    message: 'Files with environment variables are not read.',
    hint: 'Set each secret with `dbox env set PROJECT KEY` and name it below `environment`; write the rest there.',
  },
  label_file: { message: 'Files with labels are not read.', hint: 'Write `labels` here.' },
  secrets: {
    message: 'Secrets as files are not supported.',
    hint: 'Set each with `dbox env set PROJECT KEY` and name it below `environment`.',
  },
  configs: {
    message: 'Configs are not supported.',
    hint: 'COPY the file in a Dockerfile, and `build` this service by it.',
  },
  extends: {
    message: 'Services of other files are not read.',
    hint: 'Write the service out, or use an anchor (`&name`).',
  },
  links: {
    message: '`links` is not supported.',
    hint: 'Use `depends_on`: the services of one project reach each other by their names.',
  },
  runtime: { message: 'The runtime of a container cannot be chosen.', hint: FIXED },
  isolation: { message: 'The isolation of a container cannot be chosen.', hint: FIXED },
  credential_spec: { message: 'Credentials of this machine are given to nobody.', hint: 'Leave it out.' },
  use_api_socket: {
    message: "The engine's socket is root on this machine.",
    hint: 'Leave it out: a project cannot command the engine.',
  },
  provider: { message: 'Programs of the host are not run.', hint: 'Run the service as a container.' },
  models: { message: 'Models are not supported.', hint: 'Leave `models` out.' },
  post_start: { message: 'Hooks are not run.', hint: 'Do it in the command of the service.' },
  pre_stop: { message: 'Hooks are not run.', hint: 'Handle SIGTERM in the service.' },
  group_add: { message: 'A container gets no more groups.', hint: 'Set them in the Dockerfile.' },
  storage_opt: { message: 'Storage cannot be chosen.', hint: FIXED },
  blkio_config: { message: 'Limits of disks cannot be chosen.', hint: FIXED },
  oom_kill_disable: { message: 'Limits of memory hold for every container.', hint: 'Leave it out.' },
  oom_score_adj: { message: 'Limits of memory hold for every container.', hint: 'Leave it out.' },
  dns: { message: 'Name servers cannot be chosen.', hint: FIXED },
  dns_opt: { message: 'Name servers cannot be chosen.', hint: FIXED },
  dns_search: { message: 'Name servers cannot be chosen.', hint: FIXED },
  mac_address: { message: 'Addresses cannot be chosen.', hint: FIXED },
  volume_driver: { message: 'Only volumes of the engine itself are supported.', hint: 'Leave it out.' },
};

/** Said by a note, because somebody may count on it. */
export const NOTED_KEYS: Readonly<Record<string, string>> = {
  restart: 'The box itself starts a service again that has ended.',
  container_name: 'The box names containers itself; others of the project still reach it by this name.',
  logging: 'The box keeps the logs itself.',
  platform: 'Containers run on the platform of this machine.',
  ulimits: 'The box sets the limits of all containers.',
};

/** Of no consequence here. */
export const IGNORED_KEYS: ReadonlySet<string> = new Set([
  'annotations',
  'attach',
  'cap_drop',
  'cpu_count',
  'cpu_percent',
  'cpu_period',
  'cpu_quota',
  'cpu_rt_period',
  'cpu_rt_runtime',
  'cpu_shares',
  'cpuset',
  'develop',
  'domainname',
  'mem_reservation',
  'mem_swappiness',
  'memswap_limit',
  'pull_policy',
  'scale',
  'stdin_open',
  'tty',
]);

/** Read by `readService`. */
export const READ_KEYS: ReadonlySet<string> = new Set([
  'build',
  'command',
  'cpus',
  'depends_on',
  'deploy',
  'entrypoint',
  'environment',
  'expose',
  'healthcheck',
  'hostname',
  'image',
  'init',
  'labels',
  'mem_limit',
  'networks',
  'pids_limit',
  'ports',
  'profiles',
  'read_only',
  'shm_size',
  'stop_grace_period',
  'stop_signal',
  'tmpfs',
  'user',
  'volumes',
  'working_dir',
]);
