import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '@dbox/manager';
import { readBoxConfig } from './config.ts';

test('arguments win over the environment', () => {
  const config = readBoxConfig(['--workspace', '/b', '--port', '1234', '--gateway-port', '2345'], {
    DBOX_WORKSPACE: '/a',
    DBOX_PORT: '1',
    DBOX_GATEWAY_PORT: '2',
  });
  assert.deepEqual(
    [config.manager.workspace, config.manager.port, config.manager.firstGatewayPort],
    ['/b', 1234, 2345],
  );
  assert.equal(config.allowUnsandboxed, false);
});

test('the time a release may take to be ready is a setting, and nonsense is named', () => {
  assert.equal(readBoxConfig([], {}).readyTimeoutMs, 60_000);
  assert.equal(readBoxConfig([], { DBOX_READY_TIMEOUT_MS: '1500' }).readyTimeoutMs, 1_500);
  for (const text of ['0', '1e3', '99', '3600001']) {
    assert.throws(() => readBoxConfig([], { DBOX_READY_TIMEOUT_MS: text }), /write a whole number/);
  }
});

test('only a person switches the sandbox off', () => {
  assert.equal(readBoxConfig(['--no-sandbox'], {}).allowUnsandboxed, true);
  assert.equal(readBoxConfig([], { DBOX_NO_SANDBOX: '1', NO_SANDBOX: '1' }).allowUnsandboxed, false);
});

test('each workspace has a marker and a short runtime directory of its own', () => {
  const [one, two] = [readBoxConfig(['--workspace', '/one'], {}), readBoxConfig(['--workspace', '/two'], {})];
  assert.notEqual(one.marker, two.marker);
  assert.notEqual(one.runtimeDir, two.runtimeDir);
  assert.ok(one.runtimeDir.startsWith('/tmp/'));
  // With a release's directory and the socket's name it must stay below the 100 bytes of a socket path.
  assert.ok(one.runtimeDir.length < 60);
  assert.ok(readBoxConfig([], { XDG_RUNTIME_DIR: '' }).runtimeDir.startsWith('/tmp/'));
});

test('what cannot be read is refused by name', () => {
  assert.throws(
    () => readBoxConfig(['--port', 'x'], {}),
    (error) => error instanceof ConfigError && /DBOX_PORT/.test(error.message),
  );
  assert.throws(() => readBoxConfig(['--nonsense'], {}), /--nonsense/);
});
