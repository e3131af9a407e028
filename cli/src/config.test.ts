import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from './config.ts';

const place = { cwd: '/home/me/work', checkoutDir: '/opt/dbox' };

test('without any setting the workspace lies beside dbox and the ports are the known ones', () => {
  const config = readConfig({}, place);
  assert.equal(config.workspaceDir, '/opt/dbox/workspace');
  assert.equal(config.managerPort, 7700);
  assert.equal(config.gatewayPort, 8080);
  assert.equal(config.host, null);
  assert.equal(config.noColour, false);
});

test('every setting is read, in the form its comment shows', () => {
  const config = readConfig(
    {
      DBOX_WORKSPACE: '/srv/dbox',
      DBOX_PORT: '7701',
      DBOX_GATEWAY_PORT: '8181',
      DBOX_HOST: 'http://127.0.0.1:7700',
      DBOX_TOKEN: 'dbox_secret',
      NO_COLOR: '1',
      PATH: '/usr/bin:/bin',
    },
    place,
  );
  assert.equal(config.workspaceDir, '/srv/dbox');
  assert.equal(config.managerPort, 7701);
  assert.equal(config.gatewayPort, 8181);
  assert.equal(config.host, 'http://127.0.0.1:7700');
  assert.equal(config.token, 'dbox_secret');
  assert.equal(config.noColour, true);
});

test('a relative workspace is meant from where the person stands', () => {
  assert.equal(readConfig({ DBOX_WORKSPACE: 'two' }, place).workspaceDir, '/home/me/work/two');
});

test('the box does not inherit the token of the person who starts it', () => {
  const { boxEnvironment } = readConfig({ DBOX_TOKEN: 'secret', PATH: '/bin' }, place);
  assert.deepEqual(boxEnvironment, { PATH: '/bin' });
});

test('the file with the password of the store is meant from where the person stands, and handed on', () => {
  const { boxEnvironment } = readConfig({ DBOX_STORE_PASSWORD_FILE: 'db.txt' }, place);
  assert.deepEqual(boxEnvironment, { DBOX_STORE_PASSWORD_FILE: '/home/me/work/db.txt' });
});

test('a port that is no number of a port is refused by its name', () => {
  for (const port of ['http', '-1', '65536', '80 80', '1e3']) {
    assert.throws(() => readConfig({ DBOX_PORT: port }, place), /DBOX_PORT is ".*", which is no port/);
  }
});
