import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  afterChange,
  afterLive,
  afterRefusal,
  afterRollback,
  doubtOf,
  NO_SETTINGS,
} from './settings-progress.ts';

const HOSTS = { isHosts: true, maxHostRepeats: 3 };
const OWN = { isHosts: false, maxHostRepeats: 3 };
const refused = (version: number) => ({ version, releaseId: 'rel_1', reason: 'smoking: 500' });
const two = afterChange(afterChange(NO_SETTINGS));

test('a change after a rollback gets a number that was never used', () => {
  const back = afterRollback(two, 1);
  assert.deepEqual([back.version, back.pending], [1, false]);
  assert.equal(afterChange(back).version, 3);
});

test('a release with an older version leaves the newer one waiting', () => {
  assert.equal(afterLive(two, 1).pending, true);
  assert.equal(afterLive(two, 2).pending, false);
});

test('the refusal of an outdated version is told, and the newer one still has its turn', () => {
  const after = afterRefusal(two, refused(1), OWN);
  assert.deepEqual([after.told, after.settings.pending, after.settings.refused?.version], [true, true, 1]);
  assert.equal(afterLive(after.settings, 2).refused, null);
});

test('a fault of the host is repeated as long as nothing newer waits, and told in the end', () => {
  let settings = two;
  for (const told of [false, false, true]) {
    const after = afterRefusal(settings, refused(2), HOSTS);
    assert.deepEqual([after.told, after.settings.pending], [told, !told]);
    settings = after.settings;
  }
  assert.deepEqual(afterRefusal(two, refused(1), HOSTS), { settings: two, told: false });
});

test('only what was refused itself is doubted', () => {
  const { settings } = afterRefusal(two, refused(2), OWN);
  assert.match(doubtOf(settings, 2) ?? '', /refused with release rel_1: smoking: 500/);
  assert.equal(doubtOf(settings, 1), null);
  assert.equal(doubtOf(NO_SETTINGS, 0), null);
});
