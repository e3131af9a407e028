import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { GatewayConfigError, readGatewayConfig } from './config.ts';

function setUp(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'gw-config-'));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'token'), 'dbox_gateway_x\n');
  return {
    DBOX_MANAGER_URL: 'http://manager:7700',
    DBOX_TOKEN_FILE: join(dir, 'token'),
    DBOX_STATE_DIR: '/state',
  };
}

test('a gateway of its own listens on this machine, on any port, unless it is told otherwise', (t) => {
  const config = readGatewayConfig(setUp(t));
  assert.equal(config.token, 'dbox_gateway_x');
  assert.equal(config.host, '127.0.0.1');
  assert.equal(config.ports, null);
  assert.equal(config.tls, null);
  const published = readGatewayConfig({
    ...setUp(t),
    DBOX_GATEWAY_PORT: '9000',
    DBOX_GATEWAY_PORT_COUNT: '5',
  });
  assert.deepEqual(published.ports, { first: 9000, count: 5 });
});

test('what is missing or makes no sense is named', (t) => {
  const good = setUp(t);
  const refused = (env: Record<string, string>, says: RegExp) =>
    assert.throws(
      () => readGatewayConfig({ ...good, ...env }),
      (error) => error instanceof GatewayConfigError && says.test(error.message),
    );
  refused({ DBOX_STATE_DIR: '' }, /DBOX_STATE_DIR/);
  refused({ DBOX_MANAGER_URL: 'manager' }, /DBOX_MANAGER_URL is "manager"/);
  refused({ DBOX_TOKEN_FILE: '/nowhere' }, /\/nowhere cannot be read/);
  refused({ DBOX_GATEWAY_PORT_COUNT: 'many' }, /DBOX_GATEWAY_PORT_COUNT is "many"/);
  refused({ DBOX_TLS_CERT: '/a' }, /both DBOX_TLS_CERT and DBOX_TLS_KEY/);
});
