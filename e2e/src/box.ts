import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Stack } from './stack.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** A command that takes longer hangs: the slowest scenario step needs a fraction of it. */
const COMMAND_LIMIT_MS = 180_000;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type Mode = 'process' | 'docker';

/** A published range wide enough that no scenario of a shared stack runs out of ports. */
const STACK_GATEWAY_PORTS = 60;

/** A box of its own for one scenario, used as a person does: by the `dbox` command. */
export class Box {
  /** For the scenario's own files. */
  readonly directory: string;
  readonly workspace: string;
  readonly env: Readonly<Record<string, string>>;
  /** Its containers; null where it is one process. */
  readonly stack: Stack | null;

  static async make(env: Readonly<Record<string, string>> = {}): Promise<Box> {
    const directory = await mkdtemp(join(tmpdir(), 'dbox-e2e-'));
    const [port, gatewayPort] = [await freePort(), await freePort()];
    return new Box(directory, {
      DBOX_PORT: String(port),
      DBOX_GATEWAY_PORT: String(gatewayPort),
      DBOX_CHECK_INTERVAL_MS: '500',
      NO_COLOR: '1',
      DBOX_WORKSPACE: join(directory, 'workspace'),
      ...env,
    });
  }

  /** A box of containers, not up yet. */
  static async makeStack(env: Readonly<Record<string, string>> = {}): Promise<Box> {
    const name = Stack.newName();
    const box = await Box.make({
      DBOX_MODE: 'docker',
      DBOX_BOX_NAME: name,
      DBOX_GATEWAY_PORT: String(await freeRange(STACK_GATEWAY_PORTS)),
      DBOX_GATEWAY_PORT_COUNT: String(STACK_GATEWAY_PORTS),
      ...env,
    });
    return new Box(box.directory, box.env, new Stack(name));
  }

  /** The same box, for a scenario that shares it: with a directory of its own. */
  async share(): Promise<Box> {
    return new Box(await mkdtemp(join(tmpdir(), 'dbox-e2e-')), this.env, this.stack);
  }

  private constructor(directory: string, env: Readonly<Record<string, string>>, stack: Stack | null = null) {
    this.directory = directory;
    this.workspace = env.DBOX_WORKSPACE!;
    this.env = env;
    this.stack = stack;
  }

  async dbox(
    args: readonly string[],
    more: { env?: Record<string, string>; cwd?: string; input?: string } = {},
  ): Promise<Ran> {
    const child = spawn(join(ROOT, 'dbox'), [...args], {
      cwd: more.cwd ?? this.directory,
      env: { ...inherited(), ...this.env, ...more.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: COMMAND_LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    child.stdin.on('error', () => undefined).end(more.input ?? '');
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  }

  /** The parsed JSON of a command that must end with this exit code. */
  async json<T>(args: readonly string[], code = 0): Promise<T> {
    const ran = await this.dbox([...args, '--json']);
    if (ran.code !== code) {
      throw new Error(
        `dbox ${args.join(' ')} ended with ${ran.code}, not ${code}\n${ran.stdout}\n${ran.stderr}`,
      );
    }
    return JSON.parse(ran.stdout) as T;
  }

  async ok(args: readonly string[]): Promise<Ran> {
    const ran = await this.dbox(args);
    if (ran.code !== 0)
      throw new Error(`dbox ${args.join(' ')} ended with ${ran.code}\n${ran.stdout}\n${ran.stderr}`);
    return ran;
  }

  /** The box's process, or null where none runs. */
  async pid(): Promise<number | null> {
    try {
      const { pid } = JSON.parse(await readFile(join(this.workspace, 'box.json'), 'utf8')) as { pid: number };
      process.kill(pid, 0);
      return pid;
    } catch {
      return null;
    }
  }

  /** kill -9, as a power cut would; returns once the process is gone. */
  async kill(): Promise<void> {
    const pid = await this.pid();
    if (pid === null) return;
    process.kill(pid, 'SIGKILL');
    await until('the killed box is gone', async () => !isAlive(pid));
  }

  async close(options: { readonly keep: boolean }): Promise<void> {
    if (this.stack !== null && !options.keep) {
      await this.dbox(['down', '--volumes', `--confirm=${this.stack.name}`]);
      this.stack.removeAll();
    } else {
      await this.dbox(['down']);
      await this.kill();
    }
    if (!options.keep) await this.removeDirectory();
  }

  async removeDirectory(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  async copyOfRoot(path: string): Promise<string> {
    const copy = join(this.directory, path.split('/').at(-1)!);
    await cp(join(ROOT, path), copy, { recursive: true });
    return copy;
  }
}

/** No setting of a person's own box; but what an install needs to reach the network, should the checkout lack something. */
function inherited(): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG, NODE_EXTRA_CA_CERTS, HTTPS_PROXY, HTTP_PROXY, NO_PROXY } = process.env;
  return { PATH, HOME, LANG, NODE_EXTRA_CA_CERTS, HTTPS_PROXY, HTTP_PROXY, NO_PROXY };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Looks again and again until the condition holds; the failure names what was waited for. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  limitMs = 60_000,
): Promise<void> {
  const endMs = Date.now() + limitMs;
  for (;;) {
    if (await condition()) return;
    if (Date.now() > endMs) throw new Error(`waited ${limitMs / 1000} s in vain: ${what}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

/** Free now; the box takes another by itself should somebody be quicker. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** The first of so many ports in a row that are free, below those that the kernel hands out by itself. */
async function freeRange(count: number): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const first = 20_000 + Math.floor(Math.random() * 100) * 100;
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const isFree = await Promise.all(ports.map(canListen));
    if (isFree.every(Boolean)) return first;
  }
  throw new Error(`found no ${count} free ports in a row`);
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  const listening = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  server.close();
  return listening;
}

export async function get(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(10_000),
    headers: { connection: 'close' },
  });
  return { status: response.status, text: await response.text() };
}
