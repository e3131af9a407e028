import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { tarOf } from './tar-archive.ts';

test('what is written unpacks as it was, with long and foreign names', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'tar-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const long = `${'deep/'.repeat(40)}ünïcode ${'x'.repeat(120)}.txt`;
  const archive = join(dir, 'a.tar');
  writeFileSync(
    archive,
    tarOf([
      { path: 'dir', kind: 'directory', mode: 0o1777 },
      { path: 'dir/run.sh', kind: 'file', mode: 0o755, content: 'echo hi\n' },
      { path: long, kind: 'file', mode: 0o644, content: 'long' },
      { path: 'link', kind: 'link', mode: 0o777, linkTarget: long },
    ]),
  );
  execFileSync('tar', ['-xpf', archive, '-C', dir]);
  assert.equal(readFileSync(join(dir, 'dir/run.sh'), 'utf8'), 'echo hi\n');
  assert.equal(statSync(join(dir, 'dir/run.sh')).mode & 0o777, 0o755);
  assert.equal(statSync(join(dir, 'dir')).mode & 0o7777, 0o1777);
  assert.equal(readFileSync(join(dir, long), 'utf8'), 'long');
  assert.equal(readlinkSync(join(dir, 'link')), long);
});
