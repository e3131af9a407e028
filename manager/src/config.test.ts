import assert from 'node:assert/strict';
import { isAbsolute, resolve } from 'node:path';
import { test } from 'node:test';
import { ConfigError, readConfig } from './config.ts';

test('everything has a default, and an empty value is as none', () => {
  const config = readConfig({});
  assert.equal(config.workspace, resolve('workspace'));
  assert.equal(config.port, 7700);
  assert.equal(config.firstGatewayPort, 8080);
  assert.equal(config.failpoint, null);
  const empty = readConfig({ DBOX_WORKSPACE: '', DBOX_PORT: '', DBOX_FAILPOINT: '' });
  assert.equal(empty.workspace, config.workspace);
  assert.equal(empty.port, config.port);
  assert.equal(empty.failpoint, null);
});

test('a workspace is made absolute once, so that a later change of directory moves nothing', () => {
  assert.ok(isAbsolute(readConfig({ DBOX_WORKSPACE: 'boxes/a' }).workspace));
  assert.equal(readConfig({ DBOX_WORKSPACE: '/srv/a' }).workspace, '/srv/a');
});

test('a value that is no whole number in its range is refused with the range', () => {
  for (const value of ['x', '-1', '1.5', '65536', '0x10', ' 1', '1e3']) {
    assert.throws(
      () => readConfig({ DBOX_PORT: value }),
      (error) => error instanceof ConfigError && /DBOX_PORT.*from 0 to 65535/.test(error.message),
    );
  }
});

test('percent become a share', () => {
  assert.equal(readConfig({}).minFreeSpace, 0.05);
  assert.equal(readConfig({ DBOX_MIN_FREE_PERCENT: '0' }).minFreeSpace, 0);
});

test('a failpoint names its side and its event', () => {
  const { failpoint } = readConfig({ DBOX_FAILPOINT: 'after:task.in_progress' });
  assert.equal(failpoint?.when, 'after');
  assert.equal(failpoint?.eventType, 'task.in_progress');
  assert.throws(() => readConfig({ DBOX_FAILPOINT: 'during:x' }), ConfigError);
});
