import assert from 'node:assert/strict';
import { test } from 'node:test';
import { causeOfFailedInstall, needsInstall } from './install-dependencies.ts';
import { selectNpmSettings } from './npm-settings.ts';
import type { CommandOutcome } from './sandbox.ts';

test('only a package.json that names dependencies needs an install', () => {
  for (const manifest of [null, '{}', '{"name":"x","scripts":{}}', '{"dependencies":{}}']) {
    assert.equal(needsInstall(manifest), false, String(manifest));
  }
  for (const manifest of ['{"devDependencies":{"a":"1"}}', '{"workspaces":["a"]}', '{ broken', '[]']) {
    assert.equal(needsInstall(manifest), manifest !== '[]', manifest);
  }
});

const failed: CommandOutcome = {
  end: 'exited',
  exitCode: 1,
  signal: null,
  head: '',
  tail: '',
  cutBytes: 0,
  durationMs: 1,
  leftBehind: 0,
  detail: 'exit 1',
};

test('an install that failed by the network is the fault of the host, by the manifest that of the commit', () => {
  const cause = (parts: Partial<CommandOutcome>) => causeOfFailedInstall({ ...failed, ...parts });
  assert.equal(cause({ head: 'npm error code ENOTFOUND\n' }), 'host');
  assert.equal(cause({ tail: 'npm error code E503\n' }), 'host');
  assert.equal(cause({ head: 'npm error code E404\nnpm error 404 Not Found\n' }), 'commit');
  assert.equal(cause({ head: 'npm error code EUSAGE\n' }), 'commit');
  assert.equal(cause({ head: 'npm error code ETARGET\n' }), 'commit');
  assert.equal(cause({ exitCode: 127, head: 'npm: not found\n' }), 'host');
  assert.equal(cause({ end: 'timed_out', exitCode: null }), 'host');
});

test('of the settings of npm its addresses go inside, and no credentials', () => {
  const settings = selectNpmSettings({
    registry: 'https://someone:secret@registry.example/npm/',
    'https-proxy': 'http://user:secret@proxy.example:3128',
    proxy: null,
    noproxy: ['localhost', '.example'],
    '//registry.example/:_authToken': 'secret',
    _auth: 'secret',
  });
  assert.deepEqual(settings.env, {
    npm_config_registry: 'https://registry.example/npm/',
    npm_config_https_proxy: 'http://proxy.example:3128/',
    npm_config_noproxy: 'localhost,.example',
  });
});
