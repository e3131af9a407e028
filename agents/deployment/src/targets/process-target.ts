import { mkdir, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Target } from '@dbox/contracts';
import {
  type CommandLimits,
  type CommandOutcome,
  endMarked,
  installDependencies,
  type Mount,
  type Sandbox,
} from '@dbox/sandbox';
import { claimSocket } from './claim-socket.ts';
import { isDirectoryInside } from './inside-tree.ts';
import { isHostsFault } from './install-fault.ts';
import type {
  BuildOutcome,
  DeploymentTarget,
  LineSink,
  ReleaseBuild,
  ReleaseExit,
  ReleaseRun,
  RunnablePlan,
  RunningRelease,
} from './target.ts';

export interface ProcessTargetOptions {
  readonly sandbox: Sandbox;
  /** A person said that foreign code may run without a sandbox. */
  readonly allowUnsandboxed: boolean;
  /** `<dataDir>/<project>/<environment>` survives releases and rollbacks. */
  readonly dataDir: string;
  /** Holds one directory with one socket per running release; short, because a socket's path is; the box's alone. */
  readonly runtimeDir: string;
}

const INSTALL_TIMEOUT_MS = 300_000;
const BUILD_TIMEOUT_MS = 300_000;
const OUTPUT_BYTES = 16 * 1024;
// Compilers and bundlers are hungrier than what they make.
const BUILD_LIMITS: CommandLimits = {
  timeoutMs: BUILD_TIMEOUT_MS,
  memoryMb: 2048,
  processes: 256,
  headBytes: OUTPUT_BYTES,
  tailBytes: OUTPUT_BYTES,
  fileSizeMb: 1024,
};
const RUN_LIMITS: CommandLimits = { ...BUILD_LIMITS, timeoutMs: null, memoryMb: 1024 };

/** Inside its sandbox a release has a loopback of its own, so the same port never clashes. */
const PORT_INSIDE = 8080;
/** `sun_path` holds 108 bytes on Linux and 104 on macOS, with its end. */
const MAX_SOCKET_PATH_BYTES = 100;
const RUN_DIRECTORY_PATTERN = /^[0-9a-z]{10}$/;

/** Releases as child processes in the sandbox; the gateway reaches each over a unix socket. */
export function createProcessTarget(options: ProcessTargetOptions): DeploymentTarget {
  const { sandbox } = options;
  const scripts: Mount = { host: join(import.meta.dirname, '..', 'inside'), inside: '/opt/dbox/release' };
  const script = (name: string) => shellQuote(join(sandbox.pathOf(scripts), name));

  async function build(run: ReleaseBuild, { signal, onLine }: { signal: AbortSignal; onLine: LineSink }) {
    const { tree } = run;
    const runPlan = hostPlanOf(run);
    if (runPlan.kind === 'command' || runPlan.build !== null) {
      const installed = await installDependencies({
        sandbox,
        tree,
        timeoutMs: INSTALL_TIMEOUT_MS,
        signal,
        onLine,
      });
      signal.throwIfAborted();
      if (installed !== null && installed.exitCode !== 0) {
        const cause = installed.end !== 'exited' || isHostsFault(tailOf(installed)) ? 'host' : 'commit';
        return failed(cause, `the dependencies could not be installed: ${installed.detail}`, installed);
      }
    }
    if (runPlan.build !== null) {
      const built = await sandbox.run({
        run: runPlan.build,
        tree,
        env: {},
        network: 'none',
        limits: BUILD_LIMITS,
        onLine,
        signal,
      });
      signal.throwIfAborted();
      if (built.exitCode !== 0) {
        return failed(causeOf(built), `the build \`${runPlan.build}\` failed: ${built.detail}`, built);
      }
    }
    if (runPlan.kind === 'static' && !(await isDirectoryInside(tree, runPlan.root))) {
      return failed('commit', `there is no directory \`${runPlan.root}\` to serve`, null);
    }
    return { ok: true, image: null } as const;
  }

  async function start(run: ReleaseRun, o: { marker: string; onLine: LineSink }): Promise<RunningRelease> {
    const { releaseId } = run;
    const runPlan = hostPlanOf(run);
    const own = join(options.runtimeDir, releaseId.slice(-10));
    const app: Mount = { host: join(own, 'inside'), inside: '/run/app' };
    const data: Mount = { host: join(options.dataDir, run.project, run.environment), inside: '/data' };
    const socketName = 'app.sock';
    const socket = join(sandbox.pathOf(app), socketName);
    // Without a sandbox the app itself takes a port of the host.
    const isOnHost = runPlan.kind === 'command' && sandbox.kind === 'none';
    const port = isOnHost ? await findFreePort() : PORT_INSIDE;
    const target: Target = isOnHost
      ? { kind: 'tcp', host: '127.0.0.1', port }
      : { kind: 'socket', path: join(own, socketName) };
    for (const path of target.kind === 'socket' ? [target.path, socket] : []) {
      if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) continue;
      throw new Error(`the path ${path} is too long for a socket: use a shorter directory`);
    }

    await rm(own, { recursive: true, force: true });
    await mkdir(app.host, { recursive: true, mode: 0o700 });
    await mkdir(data.host, { recursive: true });
    const process = await sandbox.start({
      run: commandLine(),
      tree: run.tree,
      writable: [app, data],
      readable: [scripts],
      env: {
        NODE_ENV: 'production',
        ...run.settings,
        HOST: '127.0.0.1',
        PORT: String(port),
        DATA_DIR: sandbox.pathOf(data),
        DBOX_RELEASE: releaseId,
        DBOX_COMMIT: run.commit,
      },
      network: 'none',
      limits: RUN_LIMITS,
      onLine: o.onLine,
      marker: o.marker,
    });
    const ending = new AbortController();
    const claiming =
      target.kind === 'socket'
        ? claimSocket({ made: join(app.host, socketName), claimed: target.path, signal: ending.signal })
        : null;
    const exited = process.exited.then(async (outcome) => {
      ending.abort();
      await claiming?.catch(() => undefined);
      await rm(own, { recursive: true, force: true }).catch(() => undefined);
      return exitOf(outcome);
    });
    return {
      target,
      pid: process.pid,
      exited,
      async stop(graceMs) {
        await process.stop(graceMs);
        await exited;
      },
    };

    function commandLine(): string {
      if (runPlan.kind === 'static') {
        const root = shellQuote(join('.', runPlan.root));
        return `exec node ${script('static-server.mjs')} ${shellQuote(socket)} ${root}`;
      }
      if (isOnHost) return runPlan.run;
      return `exec node ${script('forwarder.mjs')} ${shellQuote(socket)} ${port} ${shellQuote(runPlan.run)}`;
    }
  }

  return {
    refusal({ trusted, runPlan }) {
      if (runPlan.kind === 'dockerfile' || runPlan.kind === 'compose') {
        return `this project is run by its ${runPlan.path}, which needs containers; start the box with \`./dbox up --docker\``;
      }
      if (sandbox.kind !== 'none' || trusted || options.allowUnsandboxed) return null;
      return `this code must run in a sandbox and there is none (${sandbox.missing}); --no-sandbox runs it without`;
    },
    build,
    start,
    runsFromTree: true,
    observer: null,
    findImage: async () => null,
    listKept: async () => [],
    forget: async () => undefined,
    keepOnly: async () => undefined,
    close: async () => undefined,
    warnings: async () => (sandbox.missing === null ? [] : [`no sandbox: ${sandbox.missing}`]),
    // A process belongs to its parent's life: who reads its output, and who would hear of its end?
    async recover(markerPrefix) {
      await endMarked(markerPrefix);
      await mkdir(options.runtimeDir, { recursive: true, mode: 0o700 });
      for (const name of await readdir(options.runtimeDir)) {
        if (!RUN_DIRECTORY_PATTERN.test(name)) continue;
        await rm(join(options.runtimeDir, name), { recursive: true, force: true });
      }
      return [];
    },
  };
}

/** `refusal` lets nothing else come here. */
function hostPlanOf({ runPlan }: ReleaseBuild): Extract<RunnablePlan, { kind: 'command' | 'static' }> {
  if (runPlan.kind === 'command' || runPlan.kind === 'static') return runPlan;
  throw new Error(`a ${runPlan.kind} plan cannot run as a process`);
}

function failed(cause: 'commit' | 'host', detail: string, outcome: CommandOutcome | null): BuildOutcome {
  return { ok: false, cause, detail, outputTail: outcome === null ? '' : tailOf(outcome) };
}

function exitOf(outcome: CommandOutcome): ReleaseExit {
  const { exitCode, signal, detail } = outcome;
  return { exitCode, signal, detail, cause: causeOf(outcome) };
}

/** What ran out of its limits did so by its own doing; what never began did not. */
function causeOf(outcome: CommandOutcome): 'commit' | 'host' {
  return outcome.end === 'could_not_start' ? 'host' : 'commit';
}

function tailOf(outcome: CommandOutcome): string {
  return (outcome.cutBytes === 0 ? outcome.head + outcome.tail : outcome.tail).slice(-OUTPUT_BYTES);
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
