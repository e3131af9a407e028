import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const DOCKER_LIMIT_MS = 120_000;
const BOX_PREFIX = 'dbox-e2e-';
/** What Compose and the deployment agent write on everything they make for a box. */
const OWNER_LABELS = ['com.docker.compose.project', 'dbox.box'] as const;
export const SERVICES = [
  'manager',
  'coding-agent',
  'testing-agent',
  'deployment-agent',
  'monitoring-agent',
  'task-store',
  'gateway',
] as const;
export type Service = (typeof SERVICES)[number];

/** What `docker inspect` says of a container, as far as scenarios ask. */
export interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly State: {
    readonly Pid: number;
    readonly Status: string;
    readonly Running: boolean;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string };
  };
  readonly RestartCount: number;
  readonly Config: {
    readonly Labels: Readonly<Record<string, string>>;
    readonly Env: readonly string[] | null;
    readonly User: string;
    readonly Image: string;
    readonly Healthcheck?: { readonly Test: readonly string[] };
  };
  readonly HostConfig: Readonly<Record<string, unknown>>;
  readonly Mounts: readonly {
    readonly Type: string;
    readonly Name?: string;
    readonly Source: string;
    readonly Destination: string;
    readonly RW: boolean;
  }[];
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string; readonly Gateway: string }>>;
  };
}

export async function docker(args: readonly string[], limitMs = DOCKER_LIMIT_MS): Promise<string> {
  const { stdout } = await promisify(execFile)('docker', [...args], {
    timeout: limitMs,
    killSignal: 'SIGKILL',
    maxBuffer: 256 * 1024 * 1024,
  });
  return stdout;
}

/** Standard output and error together, in which `docker logs` hands on a container's own. */
export async function dockerOutput(args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)('docker', [...args], {
    timeout: DOCKER_LIMIT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: 256 * 1024 * 1024,
  });
  return stdout + stderr;
}

/** The containers of one box, looked at and hurt from outside of it. */
export class Stack {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  static newName(): string {
    return `${BOX_PREFIX}${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  }

  async containers(): Promise<Inspected[]> {
    return inspect(await this.ids('container'));
  }

  async releases(project?: string): Promise<Inspected[]> {
    return (await this.containers()).filter(
      ({ Config }) =>
        Config.Labels['dbox.release'] !== undefined &&
        (project === undefined || Config.Labels['dbox.project'] === project),
    );
  }

  /** All containers of a service: more than one where it is scaled. */
  async instances(service: Service): Promise<Inspected[]> {
    return (await this.containers()).filter(
      ({ Config }) => Config.Labels['com.docker.compose.service'] === service,
    );
  }

  async service(service: Service): Promise<Inspected> {
    const [found] = await this.instances(service);
    if (!found) throw new Error(`no container of ${service} in ${this.name}`);
    return found;
  }

  /** The network's full name: Compose puts the box's name before it. */
  networkName(network: string): string {
    return `${this.name}_${network}`;
  }

  /** The last lines of each container, for a failure's report. */
  async lastLines(count: number): Promise<string> {
    const texts = (await this.containers()).map(async ({ Id, Name, State }) => {
      const text = await dockerOutput(['logs', '--tail', String(count), Id]).catch(String);
      return `--- ${Name.slice(1)} (${State.Status})\n${text.trimEnd()}`;
    });
    return (await Promise.all(texts)).join('\n');
  }

  /**
   * As a crash ends it: the first process is killed from outside. `docker kill` would not do, since the
   * engine takes that for a person's wish and starts nothing again.
   */
  async crash(container: Inspected): Promise<void> {
    const [now] = await inspect([container.Id]);
    if (!now?.State.Running) return;
    if (process.getuid?.() === 0) process.kill(now.State.Pid, 'SIGKILL');
    else {
      const kill = ['--cap-drop', 'ALL', '--cap-add', 'KILL', '--entrypoint', 'kill', now.Image];
      await docker(['run', '--rm', '--pid', 'host', '--user', '0', ...kill, '-9', String(now.State.Pid)]);
    }
  }

  /** Everything that carries the box's name, whoever made it. */
  removeAll(): void {
    for (const label of OWNER_LABELS) removeLabelled(`${label}=${this.name}`);
  }

  private async ids(kind: 'container'): Promise<string[]> {
    const ids = new Set<string>();
    for (const label of OWNER_LABELS) {
      const out = await docker([
        kind,
        'ls',
        '--all',
        '--quiet',
        '--no-trunc',
        '--filter',
        `label=${label}=${this.name}`,
      ]);
      for (const id of out.split('\n')) if (id !== '') ids.add(id);
    }
    return [...ids];
  }
}

/** Those that are gone meanwhile are left out. */
async function inspect(ids: readonly string[]): Promise<Inspected[]> {
  const found: Inspected[] = [];
  for (const id of ids) {
    const out = await docker(['container', 'inspect', id]).catch(() => '[]');
    found.push(...(JSON.parse(out) as Inspected[]));
  }
  return found;
}

/** Synchronous, so that it also works while the process is ending. */
function removeLabelled(filter: string): void {
  const run = (args: readonly string[]) =>
    spawnSync('docker', [...args], { encoding: 'utf8', timeout: DOCKER_LIMIT_MS }).stdout ?? '';
  const list = (args: readonly string[]) =>
    run([...args, '--quiet', '--filter', `label=${filter}`])
      .split('\n')
      .filter((id) => id !== '');
  const containers = list(['container', 'ls', '--all']);
  if (containers.length > 0) run(['container', 'rm', '--force', '--volumes', ...containers]);
  const networks = list(['network', 'ls']);
  if (networks.length > 0) run(['network', 'rm', ...networks]);
  const volumes = list(['volume', 'ls']);
  if (volumes.length > 0) run(['volume', 'rm', '--force', ...volumes]);
  const images = list(['image', 'ls', '--all']);
  if (images.length > 0) run(['image', 'rm', '--force', ...new Set(images)]);
}

/** What runs of these scenarios left behind that were killed with -9. */
export function removeAbandoned(): void {
  const listing = ['ls', '--all', '--filter', `name=^${BOX_PREFIX}`, '--format', '{{.Names}}'];
  const { stdout } = spawnSync('docker', ['container', ...listing], { encoding: 'utf8' });
  const names = new Set((stdout ?? '').match(new RegExp(`^${BOX_PREFIX}\\d+-[a-z0-9]+`, 'gm')));
  for (const name of names) {
    const pid = Number(/\d+/.exec(name.slice(BOX_PREFIX.length))?.[0]);
    try {
      process.kill(pid, 0);
    } catch {
      new Stack(name).removeAll();
    }
  }
}
