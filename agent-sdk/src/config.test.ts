import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AgentConfigError, readAgentConfig } from './config.ts';

function tokenFile(t: TestContext, text = 'dbox_agent-coding_x\n'): string {
  const dir = mkdtempSync(join(tmpdir(), 'agent-config-'));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'token'), text);
  return join(dir, 'token');
}

const read = (env: Record<string, string>) => readAgentConfig('coding', { capacity: 4 }, env);

test('an agent elsewhere needs the manager’s address and a token, and nothing else', (t) => {
  const config = read({ DBOX_MANAGER_URL: 'http://192.0.2.7:7700/', DBOX_TOKEN_FILE: tokenFile(t) });
  assert.equal(config.managerUrl, 'http://192.0.2.7:7700');
  assert.equal(config.token, 'dbox_agent-coding_x');
  assert.equal(config.name, `coding-${hostname()}`);
  assert.equal(config.capacity, 4);
  assert.ok(config.stateDir.endsWith(`/dbox/${config.name}`));
});

test('agents that share a volume have directories of their own', (t) => {
  const env = { DBOX_MANAGER_URL: 'http://m', DBOX_TOKEN_FILE: tokenFile(t), DBOX_STATE_DIR: '/state' };
  assert.equal(read({ ...env, DBOX_AGENT_NAME: 'two' }).stateDir, '/state/two');
  assert.equal(read(env).stateDir, `/state/coding-${hostname()}`);
});

test('what is missing or makes no sense is named, with what to write', (t) => {
  const good = { DBOX_MANAGER_URL: 'http://m', DBOX_TOKEN_FILE: tokenFile(t) };
  const refused = (env: Record<string, string>, says: RegExp) =>
    assert.throws(
      () => read({ ...good, ...env }),
      (error) => error instanceof AgentConfigError && says.test(error.message),
    );
  refused({ DBOX_MANAGER_URL: '' }, /DBOX_MANAGER_URL is not set.*http:\/\//);
  refused({ DBOX_MANAGER_URL: 'ftp://m' }, /DBOX_MANAGER_URL is "ftp:\/\/m"/);
  refused({ DBOX_TOKEN_FILE: '' }, /DBOX_TOKEN_FILE is not set.*agent-coding\.token/);
  refused({ DBOX_TOKEN_FILE: '/nowhere/token' }, /\/nowhere\/token cannot be read \(ENOENT\)/);
  refused({ DBOX_TOKEN_FILE: tokenFile(t, ' \n') }, /is empty/);
  refused({ DBOX_CAPACITY: '0' }, /DBOX_CAPACITY is "0".*1 to 100/);
  refused({ DBOX_AGENT_NAME: '../x' }, /DBOX_AGENT_NAME/);
});
