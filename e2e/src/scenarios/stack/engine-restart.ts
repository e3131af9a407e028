import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { get, isAlive, until } from '../../box.ts';
import { service } from '../../recorded-task.ts';
import type { Scenario } from '../../scenario.ts';
import { DOCKER, deliver, skip } from '../../scenario.ts';
import { allHealthy, assertDelivered, happened, STACK_LEASES, submit } from './story-under-faults.ts';

const BACK_WITHIN_MS = 90_000;

/** The engine is the machine's: it is only ended where nobody else depends on it, which a person or CI must say. */
const MAY_RESTART = 'DBOX_TEST_ENGINE_RESTART';

export const engineRestart: Scenario = {
  name: 'the engine is restarted: every service and site is back by itself, and the story goes on',
  modes: DOCKER,
  stack: 'engine',
  env: STACK_LEASES,
  async run(box) {
    if (process.env[MAY_RESTART] !== 'allowed')
      skip(`it ends every container; ${MAY_RESTART}=allowed lets it`);
    if (process.getuid?.() !== 0) skip('only root may restart the engine');
    await box.ok(['up']);
    const site = await deliver(box, 'steady', [
      { id: 'steady', attempts: [service('steady')], acceptance: '  - url: /\n' },
    ]);
    await submit(box, 'through');
    await happened(box, 'through', 'task.complete');
    await restartEngine();
    await until(
      'the site is back',
      async () => (await get(site.url!).catch(() => null))?.text === 'version steady',
      BACK_WITHIN_MS,
    );
    await assertDelivered(box, 'through', 'a restart of the engine');
    await allHealthy(box);
  },
};

/**
 * As an upgrade does: SIGTERM, then the same command again. (An engine that is killed with -9 while its
 * containers live on takes them for stopped by a person when it comes back: `./dbox up` starts them.)
 */
async function restartEngine(): Promise<void> {
  const pid = Number(readFileSync('/var/run/docker.pid', 'utf8'));
  const [file, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  assert.ok(file, 'the engine’s own command line');
  process.kill(pid, 'SIGTERM');
  await until('the engine is gone', () => !isAlive(pid), BACK_WITHIN_MS);
  const log = openSync('/tmp/dbox-e2e-engine.log', 'a');
  spawn(file, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: Object.fromEntries(environment.filter(Boolean).map((entry) => entry.split(/=(.*)/s).slice(0, 2))),
  }).unref();
  closeSync(log);
  await until(
    'the engine answers again',
    () => {
      try {
        execFileSync('docker', ['version'], { stdio: 'ignore', timeout: 5_000 });
        return true;
      } catch {
        return false;
      }
    },
    BACK_WITHIN_MS,
  );
}
