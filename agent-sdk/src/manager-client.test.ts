import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProblemCode } from '@dbox/contracts';
import { PROBLEM_STATUS, ProblemError, UnreachableError } from '@dbox/contracts';
import { callManager, classifyFailure } from './manager-client.ts';
import { createManualClock } from './testing/manual-clock.ts';

const problem = (code: ProblemCode, retryAfterSeconds?: number) =>
  new ProblemError(code, 'x', retryAfterSeconds === undefined ? {} : { retryAfterSeconds });

test('no answer and an answer of "not now" are tried again, for jobs and agents alike', () => {
  for (const caller of ['job', 'agent'] as const) {
    assert.equal(classifyFailure(new UnreachableError('x'), caller), 'retry');
    for (const code of ['store_unavailable', 'stopping', 'disk_full', 'internal'] as const) {
      assert.equal(classifyFailure(problem(code), caller), 'retry', code);
    }
  }
});

test('for a job, every way of saying that its token is worth nothing means that the lease is gone', () => {
  for (const code of ['lease_gone', 'unauthenticated', 'forbidden', 'not_found'] as const) {
    assert.equal(classifyFailure(problem(code), 'job'), 'gone', code);
  }
});

test('an agent that is unknown registers again, one that is refused does not', () => {
  assert.equal(classifyFailure(problem('not_found'), 'agent'), 'unknown_agent');
  assert.equal(classifyFailure(problem('unauthenticated'), 'agent'), 'final');
});

test('everything else is final', () => {
  const others = Object.keys(PROBLEM_STATUS).filter(
    (code) =>
      ![
        'store_unavailable',
        'stopping',
        'disk_full',
        'internal',
        'lease_gone',
        'unauthenticated',
        'forbidden',
        'not_found',
      ].includes(code),
  ) as ProblemCode[];
  for (const code of others) assert.equal(classifyFailure(problem(code), 'job'), 'final', code);
  assert.equal(classifyFailure(new TypeError('a bug'), 'job'), 'final');
});

test('a call is repeated with growing waits until it succeeds', async () => {
  const waits: number[] = [];
  const clock = { ...createManualClock(), sleep: async (ms: number) => void waits.push(ms) };
  let tryCount = 0;
  const answer = await callManager(
    async () => {
      tryCount += 1;
      if (tryCount < 9) throw new UnreachableError('away');
      return 'here';
    },
    { caller: 'job', giveUpAfterMs: null, clock },
  );
  assert.equal(answer, 'here');
  assert.equal(waits.length, 8);
  for (const [index, wait] of waits.entries()) {
    const most = Math.min(1_000, 50 * 2 ** index);
    assert.ok(wait >= most / 2 && wait <= most, `wait ${index} was ${wait}`);
  }
});

test('it waits as long as the manager asks for, but not for ever', async () => {
  const waits: number[] = [];
  const clock = { ...createManualClock(), sleep: async (ms: number) => void waits.push(ms) };
  const errors = [problem('store_unavailable', 3), problem('stopping', 3_600)];
  await callManager(
    async () => {
      const error = errors.shift();
      if (error !== undefined) throw error;
    },
    { caller: 'job', giveUpAfterMs: null, clock },
  );
  assert.deepEqual(waits, [3_000, 5_000]);
});

test('it gives up with the last error once the time is over', async () => {
  const clock = createManualClock();
  const last = new UnreachableError('away');
  const impatient = { ...clock, sleep: async (ms: number) => clock.advance(ms) };
  let tryCount = 0;
  const calling = callManager(
    async () => {
      tryCount += 1;
      throw last;
    },
    { caller: 'job', giveUpAfterMs: 10_000, clock: { ...impatient, monotonicMs: clock.monotonicMs } },
  );
  await assert.rejects(calling, last);
  assert.ok(tryCount > 5);
  assert.ok(clock.monotonicMs() <= 10_000);
});

test('a final failure is not repeated, and an aborted signal ends the waiting with its reason', async () => {
  let tryCount = 0;
  const final = problem('invalid_request');
  const failing = async () => {
    tryCount += 1;
    throw final;
  };
  await assert.rejects(callManager(failing, { caller: 'job', giveUpAfterMs: null }), final);
  assert.equal(tryCount, 1);

  const clock = createManualClock();
  const stopping = new AbortController();
  const calling = callManager(async () => Promise.reject(new UnreachableError('away')), {
    caller: 'job',
    giveUpAfterMs: null,
    clock,
    signal: stopping.signal,
    onRetry: () => stopping.abort(new Error('stop')),
  });
  await assert.rejects(calling, /^Error: stop$/);
});
