import { access, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BoxState } from '../box-state.ts';
import { boxAnswers, findBoxProcesses } from '../box-state.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { DEFAULT_PORTS } from '../config.ts';
import { CliError } from '../failure.ts';
import type { Output } from '../output.ts';
import { formatDuration } from '../quantities.ts';
import { takeStartTurn } from '../start-turn.ts';
import { writeStackState } from './box-file.ts';
import { checkBind } from './check-bind.ts';
import { checkEngine } from './check-engine.ts';
import { choosePorts } from './choose-ports.ts';
import { composeArguments, composeFiles, runningServices, SERVICES, unhealthyServices } from './compose.ts';
import { lastLines, runDocker } from './docker.ts';
import { digestOfSource } from './source-digest.ts';
import type { StackEnvironment } from './stack-files.ts';
import {
  boxNameOf,
  makeStackFiles,
  readStackEnvironment,
  stackOwner,
  writeStackEnvironment,
} from './stack-files.ts';

/** A first build fetches packages and a program of 60 MB. */
const BUILD_LIMIT_MS = 15 * 60_000;
/** On two busy cores a first start with an empty database takes some twenty seconds. */
const HEALTHY_LIMIT_S = 180;
const LOOK_LIMIT_MS = 20_000;
const FAILURE_LINES = 25;

/** How many of the services that can be more than one. */
export type Scale = Readonly<Partial<Record<'coding-agent' | 'testing-agent', number>>>;

export interface StartStack {
  readonly config: Config;
  readonly clock: Clock;
  readonly output: Output;
  readonly scale: Scale;
  /** A person said that others may reach it without TLS. */
  readonly insecure: boolean;
}

/** Builds what has changed, starts what does not run, and waits until all of it is healthy. May be called again. */
export async function startStack(start: StartStack): Promise<BoxState> {
  const { config } = start;
  const engine = await checkEngine(config);
  if (engine.outcome === 'fail') {
    throw new CliError('box_did_not_start', `${upper(engine.detail)}.`, { hint: engine.remedy ?? '' });
  }
  checkBind(config, start.insecure);
  await refuseProcessBox(config);
  await mkdir(config.workspaceDir, { recursive: true, mode: 0o700 });
  // Of two at once the second finds everything done.
  const turn = await takeStartTurn({
    workspaceDir: config.workspaceDir,
    clock: start.clock,
    limitMs: BUILD_LIMIT_MS,
    isDone: async () => false,
  });
  try {
    return await bringUp(start, engine.detail);
  } finally {
    await turn.release();
  }
}

async function bringUp(start: StartStack, engineDetail: string): Promise<BoxState> {
  const { config, output } = start;
  const values = await settleValues(start);
  await buildImages(start, values);
  await composeUp(start, values);
  const url = stackUrl(values);
  if (!(await boxAnswers(url, LOOK_LIMIT_MS))) {
    throw new CliError('box_did_not_start', `The containers run, but the box does not answer at ${url}.`, {
      hint: 'See `docker compose logs manager`; does another program hold the port?',
    });
  }
  const state = { mode: 'docker', name: values.DBOX_BOX_NAME!, url, version: values.DBOX_VERSION! } as const;
  await writeStackState(config.workspaceDir, state);
  output.detail(`containers ${state.name}, ${engineDetail}`);
  return { ...state, pid: null };
}

async function refuseProcessBox({ workspaceDir }: Config): Promise<void> {
  const [pid] = await findBoxProcesses(workspaceDir);
  if (pid !== undefined) {
    throw new CliError('failed', `A box of one process (${pid}) runs on ${workspaceDir}.`, {
      hint: 'Stop it with `./dbox down`, or choose another workspace with DBOX_WORKSPACE=DIR.',
    });
  }
  const hasStack = (await readStackEnvironment(workspaceDir)) !== null;
  const hasStore = await access(join(workspaceDir, 'task.db')).then(
    () => true,
    () => false,
  );
  if (hasStack || !hasStore) return;
  throw new CliError('failed', `${workspaceDir} holds a box of one process, with its store in task.db.`, {
    hint: 'Go on without --docker, or move it: `./dbox backup FILE` here, `./dbox up --docker` and `./dbox restore FILE` in another workspace (docs/backup.md).',
  });
}

/** What the Compose file is filled in with, decided once and written down. */
async function settleValues({ config, output, scale }: StartStack): Promise<StackEnvironment> {
  const { workspaceDir } = config;
  const before = await readStackEnvironment(workspaceDir);
  const name = boxNameOf(config);
  if (before !== null && before.DBOX_BOX_NAME !== name) {
    throw new CliError('failed', `This workspace belongs to the box ${before.DBOX_BOX_NAME}.`, {
      hint: `Leave DBOX_BOX_NAME away, or remove that box: \`./dbox down --volumes --confirm=${before.DBOX_BOX_NAME}\`.`,
    });
  }
  const owner = stackOwner();
  await makeStackFiles(config, owner);
  const count = config.gatewayPortCount;
  const running = before === null ? new Set<string>() : await runningServices(config, name);
  // What was chosen at a former start holds until a person asks for something else.
  const wanted = {
    manager: Number(
      (config.managerPort === DEFAULT_PORTS.manager && before?.DBOX_PORT) || config.managerPort,
    ),
    gatewayFirst: Number(
      (config.gatewayPort === DEFAULT_PORTS.gateway && before?.DBOX_GATEWAY_PORT) || config.gatewayPort,
    ),
  };
  const isSame = (key: string, value: number) => before?.[key] === String(value);
  if (!isSame('DBOX_PORT', wanted.manager)) running.delete('manager');
  if (!isSame('DBOX_GATEWAY_PORT', wanted.gatewayFirst)) running.delete('gateway');
  const ports = await choosePorts({ wanted, gatewayCount: count, host: config.bind, running });
  if (ports.manager !== wanted.manager) {
    output.note(`Port ${wanted.manager} is taken, so the box gets ${ports.manager}.`);
  }
  if (ports.gatewayFirst !== wanted.gatewayFirst) {
    output.note(
      `Some port from ${wanted.gatewayFirst} on is taken, so sites begin at ${ports.gatewayFirst}.`,
    );
  }
  const values = {
    DBOX_BOX_NAME: name,
    DBOX_UID: String(owner.uid),
    DBOX_GID: String(owner.gid),
    DBOX_WORKSPACE_DIR: workspaceDir,
    DBOX_PUBLISH_ON: config.bind,
    DBOX_PUBLIC_HOST: config.publicHost ?? config.bind,
    DBOX_TLS: config.tls === null ? '' : 'files',
    // A bare `docker compose` in the checkout must not take TLS away again.
    ...(config.tls === null ? {} : { COMPOSE_FILE: composeFiles(config).join(':') }),
    DBOX_PORT: String(ports.manager),
    DBOX_GATEWAY_PORT: String(ports.gatewayFirst),
    DBOX_GATEWAY_PORT_COUNT: String(count),
    DBOX_GATEWAY_PORT_LAST: String(ports.gatewayFirst + count - 1),
    DBOX_ENGINE_SOCKET: config.engineSocket,
    DBOX_ENGINE_GID: await groupOf(config.engineSocket),
    DBOX_NPMRC_FILE: join(workspaceDir, 'secrets', 'npmrc'),
    DBOX_CODING_AGENTS: String(scale['coding-agent'] ?? before?.DBOX_CODING_AGENTS ?? 1),
    DBOX_TESTING_AGENTS: String(scale['testing-agent'] ?? before?.DBOX_TESTING_AGENTS ?? 1),
    DBOX_SOURCE: await digestOfSource(config.checkoutDir),
    DBOX_VERSION: await readVersion(config.checkoutDir),
    ...config.stackSettings,
  };
  await writeStackEnvironment(config, values);
  return values;
}

async function readVersion(checkoutDir: string): Promise<string> {
  const manifest = await readFile(join(checkoutDir, 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

async function groupOf(socket: string): Promise<string> {
  const found = await stat(socket).catch(() => null);
  if (found?.isSocket()) return String(found.gid);
  throw new CliError('box_did_not_start', `The container engine's socket is not at ${socket}.`, {
    hint: 'Name it with DBOX_ENGINE_SOCKET=/path/docker.sock; an engine on another machine cannot be used.',
  });
}

async function buildImages({ config, clock, output }: StartStack, values: StackEnvironment): Promise<void> {
  const images = SERVICES.map((service) => `${values.DBOX_BOX_NAME}-${service}`);
  const found = await runDocker({
    config,
    args: ['image', 'inspect', '--format', '{{index .Config.Labels "dbox.source"}}', ...images],
    timeoutMs: LOOK_LIMIT_MS,
  });
  const sources = found.stdout.trim().split('\n');
  if (found.ok && sources.every((source) => source === values.DBOX_SOURCE)) return;
  output.note('Building the images (the first time takes a minute or two) …');
  const startedAt = clock.now();
  const showProgress = output.stderr.isTerminal && output.live && !output.quiet;
  const built = await runDocker({
    config,
    args: composeArguments(config, ['build', ...(showProgress ? [] : ['--quiet'])]),
    timeoutMs: BUILD_LIMIT_MS,
    showProgress,
  });
  if (!built.ok) {
    throw new CliError(
      'box_did_not_start',
      `The images could not be built.\n${lastLines(built.stderr, FAILURE_LINES)}`,
      {
        hint: 'Most often it is the network or a full disk. The settings of npm are taken from DBOX_NPMRC_FILE.',
      },
    );
  }
  output.note(`Built in ${formatDuration(clock.now() - startedAt)}.`);
}

async function composeUp({ config, output }: StartStack, values: StackEnvironment): Promise<void> {
  const up = [
    'up',
    '--detach',
    '--no-build',
    '--remove-orphans',
    '--wait',
    '--wait-timeout',
    String(HEALTHY_LIMIT_S),
  ];
  output.detail(`docker ${composeArguments(config, up).join(' ')}`);
  const started = await runDocker({
    config,
    args: composeArguments(config, up),
    timeoutMs: (HEALTHY_LIMIT_S + 60) * 1000,
  });
  if (started.ok) return;
  const sick = await unhealthyServices(config, values.DBOX_BOX_NAME!);
  const details = await Promise.all(
    sick.map(async ({ service, status }) => {
      const logs = await runDocker({
        config,
        args: composeArguments(config, ['logs', '--no-color', '--no-log-prefix', '--tail', '12', service]),
        timeoutMs: LOOK_LIMIT_MS,
      });
      return `${service} (${status}):\n${lastLines(logs.stdout + logs.stderr, 12)}`;
    }),
  );
  const said = lastLines(started.stderr.replaceAll(/^ (Container|Network|Volume) .*\n?/gm, ''), 5);
  throw new CliError(
    'box_did_not_start',
    ['Not all of the box is healthy.', said, ...details].filter((text) => text !== '').join('\n'),
    { hint: 'It goes on trying. `./dbox doctor` checks what it needs, `./dbox down` stops it.' },
  );
}

/** For programs on this machine; people elsewhere use DBOX_PUBLIC_HOST. */
function stackUrl(values: StackEnvironment): string {
  const bind = values.DBOX_PUBLISH_ON ?? '127.0.0.1';
  const host = bind === '0.0.0.0' || bind === '::' ? '127.0.0.1' : bind.includes(':') ? `[${bind}]` : bind;
  return `http://${host}:${values.DBOX_PORT}`;
}

function upper(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
