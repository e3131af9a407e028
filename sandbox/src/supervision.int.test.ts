import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Cage } from './cage.ts';
import type { Clock } from './clock.ts';
import { endProcess } from './marked-processes.ts';
import type { SandboxCommand } from './sandbox.ts';
import { superviseCommand } from './supervision.ts';

/** Calls are made by the test, one by one, in the order they fall due. */
function openClock() {
  let nowMs = 0;
  const due: { atMs: number; call: () => void }[] = [];
  const clock: Clock = {
    nowMs: () => nowMs,
    after(delayMs, call) {
      const entry = { atMs: nowMs + delayMs, call };
      due.push(entry);
      return () => void (due.includes(entry) && due.splice(due.indexOf(entry), 1));
    },
  };
  function passTo(untilMs: number): void {
    for (;;) {
      const next = due.filter((entry) => entry.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      due.splice(due.indexOf(next), 1);
      nowMs = next.atMs;
      next.call();
    }
    nowMs = untilMs;
  }
  return { clock, passTo };
}

test('a command is not measured before it has begun, when its inside is still the host', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'dbox-supervision-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const gate = join(directory, 'gate');
  let looks = 0;
  const spawned = Promise.withResolvers<void>();
  const cage: Cage = {
    file: '/bin/sh',
    args: ['-c', `echo up; until [ -e ${gate} ]; do sleep 0.01; done; echo started >&4; exec sleep 600`],
    env: { PATH: '/usr/bin:/bin' },
    cwd: directory,
    input: '',
    watch: { eagerlyMs: 50, calmlyMs: 250 },
    hear: () => {},
    readUsage() {
      looks += 1;
      return { processes: 999, threads: 999, memoryBytes: 0 };
    },
    readExactMemoryBytes: () => null,
    signalAll: (signal, child) => child.pid !== undefined && endProcess(-child.pid, signal),
    sweep: async () => 0,
    cleanUp: async () => {},
  };
  const command: SandboxCommand = {
    run: '',
    tree: directory,
    env: {},
    network: 'none',
    limits: { timeoutMs: 10_000, memoryMb: 64, processes: 8, headBytes: 64, tailBytes: 64, fileSizeMb: 1 },
    onLine: () => spawned.resolve(),
  };
  const { clock, passTo } = openClock();
  const starting = superviseCommand(cage, command, 'marker', clock);
  await spawned.promise;
  passTo(1_000);
  assert.equal(looks, 0);
  await writeFile(gate, '');
  const { exited } = await starting;
  passTo(2_000);
  const outcome = await exited;
  assert.equal(looks, 1);
  assert.equal(outcome.end, 'too_many_processes');
});
