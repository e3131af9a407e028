import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findNamedFiles, isTestFile } from './changed-test-files.ts';

test('test files are known by the customs of the common runners', () => {
  for (const path of [
    'test/a.js',
    'packages/x/tests/deep/data.json',
    'src/__tests__/a.ts',
    'src/a.test.ts',
    'src/a.spec.js',
    'a_test.go',
    'test_a.py',
    'pkg/conftest.py',
    'run-tests.sh',
    'test.sh',
    'tests.py',
  ]) {
    assert.equal(isTestFile(path), true, path);
  }
  for (const path of [
    'src/a.ts',
    'latest.js',
    'contest.py',
    'src/testing-tools.ts',
    'README.md',
    'attest.go',
  ]) {
    assert.equal(isTestFile(path), false, path);
  }
});

test('a file that a command names is a test, whatever it is called', () => {
  assert.deepEqual(
    [...findNamedFiles(['./verify.sh && node scripts/check.mjs --all', 'npm test'])],
    ['verify.sh', 'scripts/check.mjs'],
  );
});
