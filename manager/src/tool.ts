import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { ArchiveRefusedError } from '@dbox/archive';
import {
  backUpStopped,
  moveStore,
  openStoppedStore,
  restoreBox,
  type StoppedBox,
  WorkspaceStateError,
} from './adapters/backup/index.ts';
import { StoreHeldError, StoreTooNewError, StoreUnreachableError } from './adapters/store-sql/index.ts';
import { createSystemClock } from './adapters/system-clock.ts';
import { readConfig } from './config.ts';
import { ConfigError } from './config-error.ts';

/*
 * What is done to a box that does not run, by a process of its own; `dbox` starts it. An archive goes
 * over standard input or output, everything that is said goes to standard error, one JSON document a
 * line: `{"step"}`, `{"bytes"}`, and at the end `{"result"}` or `{"error"}`.
 *
 *   node manager/src/tool.ts backup [-]
 *   node manager/src/tool.ts restore FILE|- [--force]
 *   node manager/src/tool.ts migrate [--to URL|sqlite]
 *
 * `--containers`: the data of the sites lies in volumes.
 */
const ROOT = resolve(import.meta.dirname, '../..');
const TELL_INTERVAL_MS = 250;

type Env = Readonly<Record<string, string | undefined>>;

async function main(args: readonly string[]): Promise<unknown> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { force: { type: 'boolean' }, to: { type: 'string' }, containers: { type: 'boolean' } },
  });
  // Only a box of one process has the data of its sites in the workspace.
  const data = values.containers ? 'elsewhere' : 'included';
  const [command, file = '-'] = positionals;
  switch (command) {
    case 'backup':
      return backUp(await stoppedBox(process.env, data));
    case 'restore':
      return restore(await stoppedBox(process.env, data), file, values.force === true);
    case 'migrate':
      return migrate(values.to);
    default:
      throw new ConfigError('say backup, restore or migrate');
  }
}

async function stoppedBox(env: Env, data: StoppedBox['data'] = 'included'): Promise<StoppedBox> {
  const config = readConfig(env);
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return {
    workspace: config.workspace,
    store: config.store,
    clock: createSystemClock(),
    gitPath: config.path,
    boxVersion: manifest.version,
    data,
  };
}

async function backUp(box: StoppedBox): Promise<unknown> {
  const snapshot = await openStoppedStore(box);
  try {
    await pipeline(Readable.from(backUpStopped(box, snapshot), { objectMode: false }), process.stdout);
    return { ledger: snapshot.head };
  } finally {
    await snapshot.close();
  }
}

async function restore(box: StoppedBox, file: string, force: boolean): Promise<unknown> {
  const input: Readable = file === '-' ? process.stdin : createReadStream(file);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => input.destroy(new ConfigError('it was called off; nothing was changed')));
  }
  const { manifest, former, warnings } = await restoreBox({
    ...box,
    source: counted(input),
    force,
    onStep: (step) => tell({ step }),
  });
  const { createdAt, boxVersion, ledger, counts, data } = manifest;
  return { createdAt, boxVersion, ledger, counts, data, former, warnings, workspace: box.workspace };
}

/** `--to` names the other store; without it `DBOX_STORE` does. */
async function migrate(to: string | undefined): Promise<unknown> {
  const onStep = (step: string) => tell({ step });
  if (to === 'sqlite') {
    const box = await stoppedBox(process.env);
    if (box.store === null)
      throw new ConfigError('DBOX_STORE must name the Postgres that the store is in now');
    return moveStore(box, { to: null, onStep });
  }
  const box = await stoppedBox(to === undefined ? process.env : { ...process.env, DBOX_STORE: to });
  if (box.store === null) {
    throw new ConfigError('say where to: --to postgres://USER@HOST:5432/DATABASE, or the same in DBOX_STORE');
  }
  return moveStore({ ...box, store: null }, { to: box.store, onStep });
}

async function* counted(input: Readable): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  let toldAtMs = 0;
  for await (const chunk of input as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (performance.now() - toldAtMs > TELL_INTERVAL_MS) {
      toldAtMs = performance.now();
      tell({ bytes });
    }
    yield chunk;
  }
}

function tell(line: object): void {
  process.stderr.write(`${JSON.stringify(line)}\n`);
}

/** What a person can do something about comes with a code; anything else is a fault, with its trace. */
function describe(error: unknown): { code: string; message: string } {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ArchiveRefusedError) return { code: 'archive_refused', message };
  if (error instanceof WorkspaceStateError || error instanceof ConfigError) return { code: 'usage', message };
  const isKnown = [StoreHeldError, StoreTooNewError, StoreUnreachableError].some(
    (kind) => error instanceof kind,
  );
  if (isKnown) return { code: 'failed', message };
  const code = (error as { code?: unknown })?.code;
  if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOSPC') return { code: 'failed', message };
  if (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS')) return { code: 'usage', message };
  return { code: 'internal', message: error instanceof Error ? (error.stack ?? message) : message };
}

process.umask(0o077);
try {
  tell({ result: await main(process.argv.slice(2)) });
} catch (error) {
  tell({ error: describe(error) });
  process.exitCode = 1;
}
