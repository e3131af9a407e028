import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRAIN_MS, nextStep, type ReleaseFacts, WARM_FOR_MS } from './next-step.ts';

const NEVER = Number.NEGATIVE_INFINITY;
const facts = (more: Partial<ReleaseFacts>): ReleaseFacts => ({
  desired: 'live',
  isRunning: false,
  wantsRestart: false,
  hasGivenUp: false,
  restartDueAtMs: NEVER,
  heldUntilMs: NEVER,
  warmSinceMs: null,
  hasServed: false,
  ...more,
});
const wait = (untilMs: number | null) => ({ kind: 'wait', untilMs }) as const;

const cases: readonly [name: string, facts: Partial<ReleaseFacts>, step: ReturnType<typeof nextStep>][] = [
  ['a live release that does not run is started', {}, { kind: 'start' }],
  ['a live release that runs is left alone', { isRunning: true }, wait(null)],
  ['after an exit the pause is kept', { restartDueAtMs: 150 }, wait(150)],
  ['a release that was given up stays down', { hasGivenUp: true }, wait(null)],
  [
    'a person may ask for a restart of what was given up',
    { hasGivenUp: true, wantsRestart: true },
    { kind: 'start' },
  ],
  [
    'a restart asked for does not wait for the pause',
    { restartDueAtMs: 150, wantsRestart: true },
    { kind: 'start' },
  ],
  ['a running release is restarted when asked', { isRunning: true, wantsRestart: true }, { kind: 'restart' }],
  [
    'a warm release runs on for ten minutes',
    { desired: 'warm', isRunning: true, warmSinceMs: 90 },
    wait(90 + WARM_FOR_MS),
  ],
  [
    'a release that is not to stay warm ends its requests first',
    { desired: 'kept', isRunning: true, warmSinceMs: 90, hasServed: true },
    wait(90 + DRAIN_MS),
  ],
  [
    'one that never had any is stopped at once',
    { desired: 'kept', isRunning: true, warmSinceMs: 90 },
    { kind: 'stop' },
  ],
  [
    'then it is stopped',
    { desired: 'warm', isRunning: true, warmSinceMs: 100 - WARM_FOR_MS },
    { kind: 'stop' },
  ],
  ['a warm release that ended is not started', { desired: 'warm' }, wait(null)],
  ['a kept release is stopped', { desired: 'kept', isRunning: true }, { kind: 'stop' }],
  ['a kept release keeps its tree', { desired: 'kept' }, wait(null)],
  ['an unlisted release is stopped first', { desired: null, isRunning: true }, { kind: 'stop' }],
  ['and then removed', { desired: null }, { kind: 'remove' }],
  [
    'what a job has just made waits to be listed',
    { desired: null, isRunning: true, heldUntilMs: 160 },
    wait(160),
  ],
  ['also where it was kept before', { desired: 'kept', isRunning: true, heldUntilMs: 160 }, wait(160)],
];
for (const [name, given, step] of cases) {
  test(name, () => assert.deepEqual(nextStep(facts(given), 100), step));
}
