import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '@dbox/contracts';
import { applyEvent, applyReport, NO_PROGRESS } from './story-progress.ts';
import { storyReport } from './testing/sample-answers.ts';

const event = (over: Partial<Event>): Event => ({
  seq: 1,
  at: '2026-01-02T03:04:05.678Z',
  actor: 'system',
  type: 'job.leased',
  subject: 'job/job_0123456789',
  data: {},
  hash: '',
  ...over,
});

test('the first report names the story and every task with its title', () => {
  const step = applyReport(NO_PROGRESS, storyReport({}), 1000);
  assert.deepEqual(step.changes, ['story running', 'task-001 coding · Create the blog']);
});

test('a report that says nothing new changes nothing', () => {
  const { progress } = applyReport(NO_PROGRESS, storyReport({}), 1000);
  assert.deepEqual(applyReport(progress, storyReport({}), 2000).changes, []);
});

test('a task counts its time from its first work to its end', () => {
  const waiting = applyReport(NO_PROGRESS, storyReport({ task: { status: 'assigned' } }), 1000).progress;
  assert.equal(waiting.tasks[0]?.startedAtMs, null);
  const working = applyReport(waiting, storyReport({}), 2000).progress;
  const over = applyReport(working, storyReport({ task: { status: 'deployed' } }), 5000).progress;
  const later = applyReport(over, storyReport({ task: { status: 'deployed' } }), 9000).progress;
  assert.deepEqual([later.tasks[0]?.startedAtMs, later.tasks[0]?.endedAtMs], [2000, 5000]);
});

test('a second attempt is told even where no status between was seen', () => {
  const { progress } = applyReport(NO_PROGRESS, storyReport({}), 1000);
  const step = applyReport(progress, storyReport({ task: { attemptCount: 2 } }), 2000);
  assert.deepEqual(step.changes, ['task-001 coding (attempt 2)']);
});

test('why a task ended is told with it', () => {
  const { progress } = applyReport(NO_PROGRESS, storyReport({}), 1000);
  const failed = storyReport({ task: { status: 'failed', reason: 'no\u001b[31m attempts left' } });
  assert.deepEqual(applyReport(progress, failed, 2000).changes, ['task-001 failed: no attempts left']);
});

test('an event about a task tells what goes on behind its status, once', () => {
  const { progress } = applyReport(NO_PROGRESS, storyReport({ task: { status: 'complete' } }), 1000);
  const tests = event({
    type: 'job.progress',
    data: { action: 'running npm\u001b[31m test', task: 'task-001' },
  });
  const step = applyEvent(progress, tests);
  assert.deepEqual(step.changes, ['task-001 running npm test']);
  assert.deepEqual(applyEvent(step.progress, tests).changes, []);
  const queued = event({
    type: 'release.queued',
    subject: 'release/rel_0123456789',
    data: { task: 'task-001' },
  });
  assert.deepEqual(applyEvent(step.progress, queued).changes, ['task-001 waiting to be released']);
});

test('what an agent said holds until it says something else or its task ends', () => {
  const before = applyReport(NO_PROGRESS, storyReport({}), 1000).progress;
  const said = event({ type: 'job.progress', data: { task: 'task-001', action: 'writing posts' } });
  const { progress } = applyEvent(before, said);
  const later = applyReport(progress, storyReport({}), 2000).progress;
  assert.equal(later.tasks[0]?.action, 'writing posts');
});

test('what went on is forgotten once the task has ended', () => {
  const before = applyReport(NO_PROGRESS, storyReport({ task: { status: 'verified' } }), 1000).progress;
  const baking = event({ type: 'release.baking', data: { task: 'task-001' } });
  const { progress } = applyEvent(before, baking);
  assert.equal(progress.tasks[0]?.action, 'switching the traffic');
  const over = applyReport(progress, storyReport({ task: { status: 'deployed' } }), 2000).progress;
  assert.equal(over.tasks[0]?.action, null);
});

test('what the tests did is forgotten once there is a verdict', () => {
  const before = applyReport(NO_PROGRESS, storyReport({ task: { status: 'complete' } }), 1000).progress;
  const ran = event({ type: 'job.progress', data: { task: 'task-001', action: 'running npm test' } });
  const passed = event({
    type: 'verdict.given',
    subject: 'task/task-001',
    data: { attempt: 1, outcome: 'passed', summary: '' },
  });
  const step = applyEvent(applyEvent(before, ran).progress, passed);
  assert.deepEqual([step.progress.tasks[0]?.action, step.changes], [null, []]);
});

test('events of other tasks are not shown', () => {
  const { progress } = applyReport(NO_PROGRESS, storyReport({}), 1000);
  assert.deepEqual(applyEvent(progress, event({ data: { action: 'x', task: 'other' } })).changes, []);
});

test('why an attempt has to be done again is told, and a verdict that passed is not', () => {
  const { progress } = applyReport(NO_PROGRESS, storyReport({}), 1000);
  const verdict = (data: Event['data']) =>
    applyEvent(progress, event({ type: 'verdict.given', subject: 'task/task-001', data })).changes;
  assert.deepEqual(verdict({ attempt: 1, outcome: 'failed', summary: 'exit 1; 1\u001b[31m failed' }), [
    'task-001 attempt 1 failed its tests: exit 1; 1 failed',
  ]);
  assert.deepEqual(verdict({ attempt: 2, outcome: 'could_not_run', summary: 'sh: x: not found' }), [
    'task-001 attempt 2 could not be tested: sh: x: not found',
  ]);
  assert.deepEqual(verdict({ attempt: 3, outcome: 'passed', summary: '1 test passed' }), []);
});
