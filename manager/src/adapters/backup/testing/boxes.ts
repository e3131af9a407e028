import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import type { Store } from '../../../ports/store.ts';
import { createRepositoryArchive } from '../../repositories-git/index.ts';
import { openSqliteStore, type PostgresAddress } from '../../store-sql/index.ts';
import { createSystemClock } from '../../system-clock.ts';
import { createBackupDesk, restoreBox } from '../index.ts';
import { fillBox } from './filled-box.ts';

export const GIT_PATH = process.env.PATH ?? '/usr/bin:/bin';
export const clock = createSystemClock();

export function newWorkspace(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'dbox-backup-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const workspace = join(directory, 'workspace');
  mkdirSync(workspace, { mode: 0o700 });
  return workspace;
}

export function openBoxStore(workspace: string): Promise<Store> {
  return openSqliteStore({
    path: join(workspace, 'task.db'),
    headFile: join(workspace, 'ledger.head'),
    clock,
  });
}

/** A running box with history, as far as backups see it. */
export async function runningBox(t: TestContext) {
  const workspace = newWorkspace(t);
  const store = await openBoxStore(workspace);
  t.after(() => store.close());
  const { deliver } = await fillBox(t, workspace, store);
  let holds = 0;
  const desk = createBackupDesk({
    store,
    workspace,
    repositories: createRepositoryArchive({ workspace, path: GIT_PATH }),
    boxVersion: '0.1.0',
    data: 'included',
    now: () => '2026-01-03T00:00:00.000Z',
    hold: async () => {
      holds += 1;
      return () => {
        holds -= 1;
      };
    },
  });
  return { workspace, store, deliver, desk, holds: () => holds };
}

let archive: Promise<Buffer> | null = null;

/** The archive of such a box; the same in all tests of a file. */
export function archiveOf(t: TestContext): Promise<Buffer> {
  archive ??= runningBox(t).then(async (box) => buffer(await box.desk.open()));
  return archive;
}

export function restoreFrom(
  archive: Buffer | Readable,
  workspace: string,
  more: { force?: boolean; store?: PostgresAddress | null; onStep?: (step: string) => void } = {},
) {
  return restoreBox({
    ...{ workspace, store: null, force: false, clock, gitPath: GIT_PATH, onStep: () => {} },
    source: archive instanceof Readable ? archive : Readable.from([archive], { objectMode: false }),
    ...more,
  });
}
