import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LeasedJob } from '../../domain/job-lifecycle.ts';
import { openSqliteStore } from './index.ts';
import { leaseProtocol } from './testing/lease-model.ts';
import { stillClock } from './testing/still-clock.ts';

const openStore = () => openSqliteStore({ path: ':memory:', clock: stillClock(), headFile: null });

test('whatever the order of calls, one result a job is accepted, fences grow and stale calls change nothing', async () => {
  await fc.assert(leaseProtocol(openStore), { numRuns: 300 });
});

for (const [name, holds] of [
  ['the fence is not looked at', (job: LeasedJob) => job.status === 'leased'],
  ['the status is not looked at', (job: LeasedJob, fence: number) => job.fence === fence],
] as const) {
  test(`the model finds the bug when ${name}`, async () => {
    // A fixed seed: that the bug is found must not be a matter of luck.
    const report = await fc.check(leaseProtocol(openStore, holds), { numRuns: 1_000, seed: 1 });
    assert.equal(report.failed, true);
    const steps = String(report.counterexample).split(',');
    assert.ok(steps.length <= 6, `not shrunk: ${report.counterexample}`);
  });
}
