import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '@dbox/contracts';
import { findDoubles } from './ledger-checks.ts';

const job = 'job/job_0000000000';
const leased = (fence: number) => ({ type: 'job.leased', subject: job, data: { fence } });
const succeeded = (fence: number) => ({ type: 'job.succeeded', subject: job, data: { fence } });
const committed = (attempt: number) => ({
  type: 'attempt.committed',
  subject: 'task/one',
  data: { attempt },
});

function ledger(...events: readonly Pick<Event, 'type' | 'subject' | 'data'>[]): Event[] {
  return events.map((event, index) => ({ seq: index + 1, at: '', actor: 'system', hash: '', ...event }));
}

test('a ledger in which each job was leased in turn and ended once has no doubles', () => {
  assert.deepEqual(findDoubles(ledger(leased(1), leased(2), succeeded(2), committed(1), committed(2))), []);
});

test('a fence that is skipped, given twice or no longer the current one is found', () => {
  assert.match(findDoubles(ledger(leased(1), leased(3))).join(), /fence 3 after 1/);
  assert.match(findDoubles(ledger(leased(1), leased(1))).join(), /fence 1 after 1/);
  assert.match(findDoubles(ledger(leased(1), leased(2), succeeded(1))).join(), /under fence 1/);
});

test('a job that ends twice or is leased after its end, and an attempt accepted twice, are found', () => {
  assert.match(findDoubles(ledger(leased(1), succeeded(1), succeeded(1))).join(), /ended twice/);
  assert.match(findDoubles(ledger(leased(1), succeeded(1), leased(2))).join(), /leased after its end/);
  assert.match(
    findDoubles(ledger(committed(1), committed(1))).join(),
    /attempt 1 of task\/one was accepted twice/,
  );
});

test('a gap in the numbers is found', () => {
  const [first, second] = ledger(leased(1), leased(2));
  assert.match(findDoubles([first!, { ...second!, seq: 3 }]).join(), /event 2 has the number 3/);
});
