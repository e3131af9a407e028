import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkBox, checkNode, checkTokens, installHint } from './doctor-checks.ts';

test('the package to install is named for each distribution and its relatives', () => {
  assert.match(installHint('ID=debian\n', 'linux'), /apt-get install bubblewrap/);
  assert.match(installHint('ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'linux'), /apt-get/);
  assert.match(installHint('ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'linux'), /dnf install/);
  assert.match(installHint('ID=alpine\n', 'linux'), /apk add/);
  assert.match(installHint('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', 'linux'), /zypper/);
  assert.match(installHint('', 'linux'), /of your distribution/);
  assert.match(installHint('', 'darwin'), /no bubblewrap for darwin/);
});

test('a Node that is too old fails with what to do', async () => {
  assert.equal((await checkNode('v20.1.0')).outcome, 'fail');
  assert.equal((await checkNode('v24.1.0')).outcome, 'ok');
});

test('a token file that others may read fails', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'dbox-doctor-'));
  t.after(() => rm(dir, { recursive: true }));
  await mkdir(join(dir, 'secrets'));
  await writeFile(join(dir, 'secrets', 'admin.token'), 'x', { mode: 0o600 });
  assert.equal((await checkTokens(dir)).outcome, 'ok');
  await chmod(join(dir, 'secrets', 'admin.token'), 0o644);
  const open = await checkTokens(dir);
  assert.equal(open.outcome, 'fail');
  assert.match(open.detail, /admin\.token/);
});

test('no box is fine, and one that died without a word is worth a warning', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'dbox-doctor-'));
  t.after(() => rm(dir, { recursive: true }));
  assert.equal((await checkBox(dir)).outcome, 'ok');
  // No process has a number this high.
  await writeFile(join(dir, 'box.json'), JSON.stringify({ pid: 2 ** 30, url: 'http://127.0.0.1:1' }));
  assert.equal((await checkBox(dir)).outcome, 'warn');
});
