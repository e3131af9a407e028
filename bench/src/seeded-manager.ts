import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readConfig, startManager } from '@dbox/manager';
import { createSystemClock } from '../../manager/src/adapters/system-clock.ts';
import { openStore } from '../../manager/src/open-store.ts';

/*
 * The manager as it is, over a store that holds this many queued `check` jobs (the kind whose result
 * has no consequences, so that a lease and a completion are all that is measured). Started as a
 * process of its own; prints its port and the tokens of its callers.
 */
const [jobCount, address] = [Number(process.argv[2]), process.argv[3] ?? ''];
const workspace = await mkdtemp(join(tmpdir(), 'dbox-bench-'));
const config = readConfig({ DBOX_WORKSPACE: workspace, DBOX_PORT: '0', DBOX_STORE: address });
const store = await openStore({
  config,
  clock: createSystemClock(),
  headFile: join(workspace, 'ledger.head'),
  version: 'bench',
  data: 'included',
  log: () => {},
});
const at = new Date().toISOString();
await store.transact(async (tx) => {
  for (let n = 0; n < jobCount; n++) {
    await tx.jobs.insert({
      id: `job_${String(n).padStart(10, '0')}`,
      kind: 'check',
      project: null,
      taskId: null,
      releaseId: null,
      status: 'queued',
      fence: 0,
      agentId: null,
      leaseExpiresAt: null,
      createdAt: at,
      finishedAt: null,
      payload: { kind: 'check', releaseId: 'rel_0000000000', checks: [] },
      result: null,
      priority: 0,
      leaseExpiresAtMs: null,
      confirmedCommit: null,
      version: 1,
    });
  }
});
await store.close();
const manager = await startManager({
  config,
  version: 'bench',
  mode: 'process',
  templatesDir: resolve(import.meta.dirname, '../../templates'),
});
console.log(
  JSON.stringify({
    port: manager.port,
    token: manager.tokens.get('agent:monitoring'),
    codingToken: manager.tokens.get('agent:coding'),
    operatorToken: manager.tokens.get('operator'),
  }),
);
process.once('SIGTERM', () => void manager.stop().then(() => process.exit(0)));
