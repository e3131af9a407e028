import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { ProblemError } from '@dbox/contracts';
import { createArtifactStore } from './adapters/artifacts-fs/artifact-files.ts';
import { createBackupDesk } from './adapters/backup/index.ts';
import type { StoredRole } from './adapters/box-secrets.ts';
import { openBoxSecrets } from './adapters/box-secrets.ts';
import { withFailpoint } from './adapters/failpoint-store.ts';
import { createLogStore } from './adapters/logs-fs/index.ts';
import { createTemplatePlanner } from './adapters/planner-template/index.ts';
import { createRandomIds } from './adapters/random-ids.ts';
import {
  createGitRepositories,
  createRepositoryArchive,
  probeGit,
} from './adapters/repositories-git/index.ts';
import { createSettingVault } from './adapters/setting-vault-aes.ts';
import { labelOf, verifyLedger } from './adapters/store-sql/index.ts';
import { createSystemClock } from './adapters/system-clock.ts';
import { createWorkspaceFiles } from './adapters/workspace-fs/workspace-files.ts';
import { checkSettingsKey } from './app/check-settings-key.ts';
import type { AppContext } from './app/context.ts';
import { now, record } from './app/context.ts';
import { followEvents } from './app/follow-events.ts';
import { TopologyDesk } from './app/follow-topology.ts';
import { LeaseDesk } from './app/lease-desk.ts';
import { Observations } from './app/observations.ts';
import { writeSpecs } from './app/submit-story.ts';
import type { ManagerConfig } from './config.ts';
import { ConfigError } from './config.ts';
import { agentHandlers } from './http/agent-handlers.ts';
import { createAuthenticator, hashToken, mintToken } from './http/auth.ts';
import { collectMetrics } from './http/collect-metrics.ts';
import { createMetrics } from './http/metrics.ts';
import { createOpenApi } from './http/openapi.ts';
import { peopleHandlers } from './http/people-handlers.ts';
import type { HttpServer, Listening } from './http/server.ts';
import { createHttpServer } from './http/server.ts';
import { Loop } from './loops/loop.ts';
import { PruneGate } from './loops/prune-gate.ts';
import { LeaseRescue } from './loops/rescue-loop.ts';
import { retain, watchDisk } from './loops/retention-loop.ts';
import { ShareProjection } from './loops/share-loop.ts';
import { movesWork, moveWork } from './loops/work-loop.ts';
import { openStore } from './open-store.ts';
import type { Clock } from './ports/clock.ts';
import { isoOf } from './ports/clock.ts';
import type { LogStore } from './ports/log-store.ts';
import type { Store } from './ports/store.ts';
import { speaksInTheClear } from './store-address.ts';

/** How quickly a dead agent's lease is given on after it expired. */
const RESCUE_INTERVAL_MS = 500;
/** Work is woken by events; this only catches what a bug or a failed tick left. */
const WORK_INTERVAL_MS = 5_000;
const DISK_INTERVAL_MS = 5_000;
const RETENTION_INTERVAL_MS = 60 * 60 * 1000;
/** How many ports after the one asked for are tried before any free one is taken. */
const NEIGHBOUR_PORTS = 20;

export interface RunningManager {
  /** For those on this machine. */
  readonly url: string;
  readonly port: number;
  /** For those that this process starts itself; others get theirs as files. */
  readonly tokens: ReadonlyMap<StoredRole, string>;
  warn(topic: string, text: string): void;
  /** Into the log of a service that has no agent token of its own. */
  log(service: 'manager' | 'gateway', level: 'info' | 'warn' | 'error', message: string, data?: object): void;
  stop(): Promise<void>;
}

/**
 * The manager: opens the store, which no other may hold, and serves. Throws `StoreHeldError` where
 * another manager holds it. Resumes whatever a kill left behind.
 */
export async function startManager(given: {
  readonly config: ManagerConfig;
  readonly version: string;
  readonly mode: 'process' | 'docker';
  readonly templatesDir: string;
  /** What a person who watches the start should see, such as that the store is waited for. */
  readonly say?: (line: string) => void;
}): Promise<RunningManager> {
  const { config } = given;
  const { workspace } = config;
  await mkdir(workspace, { recursive: true });
  const git = await probeGit({ path: config.path });
  if ('problem' in git) throw new ConfigError(git.problem);
  const clock = createSystemClock();
  const logs = createLogStore({ workspace });
  const logAs = serviceLog(logs, clock);
  const headFile = join(workspace, 'ledger.head');
  const opened = await openStore({
    config,
    clock,
    headFile,
    version: given.version,
    data: given.mode === 'docker' ? 'elsewhere' : 'included',
    log: (level, message, data) => {
      logAs('manager', level, message, data);
      given.say?.(message);
    },
  });
  const store = config.failpoint ? withFailpoint(opened, config.failpoint, killSelf) : opened;
  try {
    return await serve(given, { store, clock, headFile, logs, logAs });
  } catch (error) {
    // Whoever tries again in this process must find the workspace free.
    await store.close();
    throw error;
  }
}

async function serve(
  given: Parameters<typeof startManager>[0],
  opened: {
    readonly store: Store;
    readonly clock: Clock;
    readonly headFile: string;
    readonly logs: LogStore;
    readonly logAs: RunningManager['log'];
  },
): Promise<RunningManager> {
  const { config } = given;
  const { workspace } = config;
  const { store, clock, headFile, logs, logAs } = opened;
  const secrets = await openBoxSecrets(workspace, (role) => mintToken(role));
  const auth = createAuthenticator({
    findByHash: (hash) => store.read((reader) => reader.tokens.findByHash(hash)),
    jobKey: secrets.jobKey,
  });
  const scheme = config.tls === null ? 'http' : 'https';
  const context: AppContext = {
    store,
    repositories: createGitRepositories({ workspace, path: config.path }),
    artifacts: createArtifactStore({ workspace }),
    logs,
    files: createWorkspaceFiles({ workspace }),
    planner: createTemplatePlanner({ templatesDir: given.templatesDir }),
    vault: createSettingVault(secrets.envKey),
    clock,
    ids: createRandomIds(),
    settings: {
      version: given.version,
      workspace,
      firstGatewayPort: config.firstGatewayPort,
      gatewayPortCount: config.gatewayPortCount,
      gatewayHost: config.gatewayHost,
      siteOrigin: `${scheme}://${config.publicHost}`,
      watchIntervalMs: config.watchIntervalMs,
      leaseDurationMs: config.leaseDurationMs,
      minFreeSpace: config.minFreeSpace,
      containers: given.mode === 'docker',
    },
    observations: new Observations(),
    signJobToken: auth.signJobToken,
    log: (level, message, data) => logAs('manager', level, message, data),
  };

  await registerTokens(context, secrets.tokens);
  await context.files.clearIncoming();

  const leases = new LeaseDesk(store, clock);
  const topology = new TopologyDesk(context);
  const pruning = new PruneGate(() => wakeRetention());
  const backups = createBackupDesk({
    store,
    workspace,
    repositories: createRepositoryArchive({ workspace, path: config.path }),
    boxVersion: given.version,
    data: given.mode === 'docker' ? 'elsewhere' : 'included',
    now: () => now(context),
    hold: () => pruning.hold(),
  });
  const metrics = createMetrics({ collect: () => collectMetrics(context) });
  store.onCommit(metrics.observeCommit);
  let boxUrl = '';
  const server = createHttpServer({
    handlers: {
      ...peopleHandlers({
        context,
        box: {
          version: given.version,
          mode: given.mode,
          pid: process.pid,
          workspace,
          get url() {
            return boxUrl;
          },
        },
        openApi: () => createOpenApi(given.version),
        metrics: () => metrics.render(),
        followEvents: (after, signal) => followEvents(store, after, signal),
        verifyLedger: () => verifyLedger(store, { headFile }),
        openBackup: () => backups.open(),
      }),
      ...agentHandlers({ context, leases, topology }),
    },
    authenticate: auth.authenticate,
    clock,
    host: config.host,
    hostNames: [config.publicHost],
    plainHostNames: config.hostNames,
    tls: config.tls === null ? null : await readTlsPair(config.tls),
    log: context.log,
    onAnswer: metrics.observeAnswer,
  });
  const listening = await listenNear(server, config.port);
  boxUrl = `${scheme}://${config.publicHost}:${listening.port}`;
  if (config.port !== 0 && listening.port !== config.port) {
    context.observations.warnings.set(
      'port',
      `port ${config.port} is taken; the manager listens on ${listening.port}`,
    );
  }
  if (config.store !== null && speaksInTheClear(config.store)) {
    context.observations.warnings.set(
      'store',
      `${labelOf(config.store)} is spoken to without TLS; add ?sslmode=verify-full to DBOX_STORE`,
    );
  }
  await checkSettingsKey(context);
  await recordStart(context, boxUrl);
  context.log('info', `the manager listens on ${boxUrl}`, { version: given.version, pid: process.pid });
  const { stopLoops, wakeRetention } = startLoops(context, leases, pruning);

  return {
    url: `http://${isAnyAddress(config.host) ? '127.0.0.1' : config.host}:${listening.port}`,
    port: listening.port,
    tokens: secrets.tokens,
    warn: (topic, text) => void context.observations.warnings.set(topic, text),
    log: logAs,
    async stop() {
      await listening.close();
      await stopLoops();
      leases.stop();
      topology.stop();
      await store.close();
    },
  };
}

function serviceLog(logs: LogStore, clock: Clock): RunningManager['log'] {
  return (service, level, message, data) => {
    const text = JSON.stringify({ level, message, ...data });
    const line = { at: isoOf(clock.nowMs()), stream: 'agent', text } as const;
    // What cannot be logged cannot be logged anywhere; it must not end the box.
    logs.append({ kind: 'service', id: service }, [line]).catch(() => {});
  };
}

function startLoops(
  context: AppContext,
  leases: LeaseDesk,
  pruning: PruneGate,
): { stopLoops: () => Promise<void>; wakeRetention: () => void } {
  const { clock, store } = context;
  const onError = (name: string) => (error: unknown) => {
    // Told of once, by the store itself, not with each turn of each loop.
    if (error instanceof ProblemError && error.code === 'store_unavailable') return;
    context.log('error', `${name} failed and is tried again`, {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  };
  const loop = (name: string, intervalMs: number, tick: () => Promise<unknown>) =>
    new Loop({ tick, intervalMs, clock, onError: onError(name) });

  const work = loop('moving work', WORK_INTERVAL_MS, () => moveWork(context));
  const share = new ShareProjection(context);
  const sharing = loop('laying out the share', RETENTION_INTERVAL_MS, () => share.tick());
  const leaseRescue = new LeaseRescue(context);
  const rescue = loop('rescuing leases', RESCUE_INTERVAL_MS, () => leaseRescue.tick());
  const disk = loop('watching the disk', DISK_INTERVAL_MS, () => watchDisk(context, () => leases.wakeAll()));
  const retention = loop('retention', RETENTION_INTERVAL_MS, () => pruning.prune(() => retain(context)));
  const loops = [work, sharing, rescue, disk, retention];

  const unsubscribe = store.onCommit(({ events }) => {
    if (events.some(movesWork)) work.wake();
    if (events.some((event) => event.type === 'main.moved' || event.type === 'task.complete')) sharing.wake();
    // The ninth release is not kept for an hour just because nobody looked.
    if (events.some((event) => event.type === 'release.live')) retention.wake();
  });
  for (const one of loops) one.start();
  return {
    wakeRetention: () => retention.wake(),
    async stopLoops() {
      unsubscribe();
      await Promise.all(loops.map((one) => one.stop()));
    },
  };
}

/** The port asked for, else one of its neighbours, else any: two boxes side by side just work. */
async function listenNear(server: HttpServer, port: number): Promise<Listening> {
  const ports = port === 0 ? [0] : [...Array.from({ length: NEIGHBOUR_PORTS }, (_, n) => port + n), 0];
  for (const candidate of ports) {
    try {
      return await server.listen(candidate);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    }
  }
  throw new Error(`no free port near ${port}`);
}

async function readTlsPair(files: NonNullable<ManagerConfig['tls']>) {
  const read = (file: string) =>
    readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw new ConfigError(`the TLS file ${file} cannot be read (${cause.code})`);
    });
  const pair = { cert: await read(files.certFile), key: await read(files.keyFile) };
  try {
    createSecureContext(pair);
  } catch (cause) {
    throw new ConfigError(
      `${files.certFile} and ${files.keyFile} are no certificate and its key: ${(cause as Error).message}`,
    );
  }
  return pair;
}

/** Listening on all addresses includes this machine's own. */
function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

async function registerTokens(context: AppContext, tokens: ReadonlyMap<StoredRole, string>): Promise<void> {
  await context.store.transact(async (tx) => {
    for (const [role, token] of tokens) {
      const hash = hashToken(token);
      if (await tx.tokens.findByHash(hash)) continue;
      await tx.tokens.insert({
        id: context.ids.next('tok'),
        hash,
        role,
        createdAt: now(context),
        revokedAt: null,
        version: 1,
      });
    }
  });
}

async function recordStart(context: AppContext, url: string): Promise<void> {
  const moving = await context.store.transact(async (tx) => {
    await record(context, tx, {
      actor: 'system',
      type: 'box.started',
      subject: 'box',
      data: { url, version: context.settings.version, pid: process.pid },
    });
    return tx.stories.listMoving();
  });
  // A kill between commit and file leaves a spec unwritten.
  for (const story of moving) {
    const tasks = await context.store.read((reader) => reader.tasks.listOfStory(story.id));
    await writeSpecs(
      context,
      tasks.map((task) => task.spec),
    );
  }
}

function killSelf(): void {
  process.kill(process.pid, 'SIGKILL');
}
