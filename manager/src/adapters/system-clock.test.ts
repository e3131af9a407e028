import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { createSystemClock } from './system-clock.ts';

test('a timer calls back once and a cancelled one never does', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const clock = createSystemClock();
  let calls = 0;
  clock.after(100, () => calls++);
  const cancel = clock.after(100, () => calls++);
  cancel();
  cancel();
  mock.timers.tick(99);
  assert.equal(calls, 0);
  mock.timers.tick(1000);
  assert.equal(calls, 1);
});

test('a wait that is too long for one timer is still as long as asked for', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const clock = createSystemClock();
  let called = false;
  const longest = 2 ** 31 - 1;
  clock.after(longest + 500, () => {
    called = true;
  });
  mock.timers.tick(longest);
  assert.equal(called, false);
  mock.timers.tick(500);
  assert.equal(called, true);
});

test('a pending timer keeps no process alive', () => {
  const holding = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = holding();
  const cancel = createSystemClock().after(3_600_000, () => assert.fail('called'));
  const after = holding();
  cancel();
  assert.equal(after, before);
});
