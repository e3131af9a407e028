import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckTrack } from './health.ts';
import { NEW_TRACK, overall, track } from './health.ts';

const after = (rounds: string, from: CheckTrack = NEW_TRACK) =>
  [...rounds].reduce((former, round) => track(former, { ok: round === '+', detail: round }), from);

test('one good round is enough where nothing was known', () => {
  assert.equal(after('+').health, 'healthy');
  assert.equal(after('-+').health, 'healthy');
});

test('three failures in a row are news, two are noise', () => {
  assert.equal(after('+--').health, 'healthy');
  assert.equal(after('--').health, 'unknown');
  assert.equal(after('+--+--').health, 'healthy');
  assert.equal(after('+---').health, 'unhealthy');
});

test('after a failure two good rounds in a row make it healthy again', () => {
  assert.equal(after('---+').health, 'unhealthy');
  assert.equal(after('---+-+').health, 'unhealthy');
  assert.equal(after('---++').health, 'healthy');
});

test('an environment is as well as its worst check, and unknown without any', () => {
  assert.equal(overall([]), 'unknown');
  assert.equal(overall([after('+'), NEW_TRACK]), 'unknown');
  assert.equal(overall([after('+'), NEW_TRACK, after('---')]), 'unhealthy');
  assert.equal(overall([after('+'), after('+--')]), 'healthy');
});
