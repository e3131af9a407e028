import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createManualClock } from '@dbox/agent-sdk/testing';
import type { Watch } from '@dbox/contracts';
import type { RunRound } from './watch-schedule.ts';
import { startWatchSchedule } from './watch-schedule.ts';

const INTERVAL_MS = 10_000;

function makeWatch(parts: Partial<Watch> = {}): Watch {
  return {
    project: 'demo',
    environment: 'dev',
    releaseId: 'rel_0000000001',
    port: 8080,
    checks: [],
    intervalMs: INTERVAL_MS,
    ...parts,
  };
}

/** A schedule whose rounds are recorded; each settles when the test says so, or at once. */
function start(options: { held?: boolean; fail?: boolean; watch?: Watch } = {}) {
  const clock = createManualClock();
  const rounds: { atMs: number; watch: Watch; end: () => void; aborted: () => boolean; staleInMs: number }[] =
    [];
  const warnings: string[] = [];
  const runRound: RunRound = async ({ watch, signal, nextDueInMs }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve());
    rounds.push({
      atMs: clock.monotonicMs(),
      watch,
      end: resolve,
      aborted: () => signal.aborted,
      staleInMs: nextDueInMs(),
    });
    if (options.held) await promise;
    if (options.fail) throw new Error('no luck');
  };
  const schedule = startWatchSchedule({
    watch: options.watch ?? makeWatch(),
    clock,
    runRound,
    warn: (message) => void warnings.push(message),
  });
  /** In small steps, with all that is due done before the next. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.advance(500);
      await turn();
    }
  };
  return { clock, rounds, schedule, pass, warnings };
}

test('the first round is at once, the second within an interval, and then one every interval', async () => {
  const { rounds, schedule, pass } = start();
  await turn();
  assert.equal(rounds.length, 1);
  await pass(5 * INTERVAL_MS);
  const gaps = rounds.slice(1).map(({ atMs }, index) => atMs - rounds[index]!.atMs);
  assert.ok(gaps[0]! >= INTERVAL_MS / 2 && gaps[0]! <= INTERVAL_MS, String(gaps[0]));
  // The steps of the test are 500 ms wide.
  for (const gap of gaps.slice(1)) assert.ok(Math.abs(gap - INTERVAL_MS) <= 500, String(gap));
  assert.ok(gaps.length >= 4);
  await schedule.stop();
});

test('watches that began together are spread over the interval', async () => {
  const seconds = new Set<number>();
  for (const releaseId of ['rel_00000000a1', 'rel_00000000b2', 'rel_00000000c3', 'rel_00000000d4']) {
    const { rounds, schedule, pass } = start({ watch: makeWatch({ releaseId }) });
    await pass(INTERVAL_MS + 1000);
    seconds.add(rounds[1]!.atMs);
    await schedule.stop();
  }
  assert.ok(seconds.size > 1);
});

test('rounds that are due while one still runs are skipped', async () => {
  const { rounds, schedule, pass } = start({ held: true });
  await pass(5 * INTERVAL_MS);
  assert.equal(rounds.length, 1);
  rounds[0]!.end();
  await turn();
  assert.equal(rounds.length, 1, 'the skipped rounds are not made up for');
  await pass(INTERVAL_MS);
  assert.equal(rounds.length, 2);
  await schedule.stop();
});

test('a report is stale when the next round is due', async () => {
  const { rounds, schedule, pass } = start();
  await pass(3 * INTERVAL_MS);
  for (const { staleInMs } of rounds) assert.ok(staleInMs > 0 && staleInMs <= INTERVAL_MS);
  await schedule.stop();
});

test('a round that throws is told of and the next one comes', async () => {
  const { rounds, schedule, pass, warnings } = start({ fail: true });
  await pass(2 * INTERVAL_MS);
  assert.ok(rounds.length >= 2);
  assert.equal(warnings.length, rounds.length);
  await schedule.stop();
});

test('stop aborts a running round, waits for it, and may be called twice', async () => {
  const { rounds, schedule, pass } = start({ held: true });
  await turn();
  await Promise.all([schedule.stop(), schedule.stop()]);
  assert.ok(rounds[0]!.aborted());
  await pass(2 * INTERVAL_MS);
  assert.equal(rounds.length, 1);
});

test('a change is used from the next round on, and a shorter interval brings it forward', async () => {
  const { rounds, schedule, pass } = start();
  await pass(2 * INTERVAL_MS);
  const before = rounds.length;
  schedule.update(makeWatch({ port: 9999, intervalMs: 1000 }));
  await turn();
  await pass(1500);
  assert.ok(rounds.length > before);
  assert.equal(rounds.at(-1)!.watch.port, 9999);
  await schedule.stop();
});
