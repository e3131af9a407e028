import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { settingsFiles } from './settings-files.ts';

test('a shell reads every value back as it was', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'settings-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const script = join(dir, 'env.sh');
  const value = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && text.isWellFormed());
  fc.assert(
    fc.property(value, (text) => {
      const file = settingsFiles({ VALUE: text }).find(({ path }) => path === 'env.sh')!;
      writeFileSync(script, file.content);
      const read = execFileSync('/bin/sh', ['-c', `. "$1"; printf %s "$VALUE"`, 'sh', script]);
      assert.equal(read.toString(), text);
    }),
    { numRuns: 40 },
  );
});
