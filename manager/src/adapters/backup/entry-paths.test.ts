import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ARTIFACT_NAME_PATTERN, TASK_ID_PATTERN } from '@dbox/contracts';
import { kindOf } from './entry-paths.ts';

test('the longest names that the box itself gives are known again', () => {
  const [task, name] = ['t'.repeat(80), 'n'.repeat(100)];
  assert.ok(TASK_ID_PATTERN.test(task) && ARTIFACT_NAME_PATTERN.test(name));
  const artifact = `art_0123456789-${name}`;
  for (const path of [`artifacts/${artifact}`, `tasks/${task}/artifacts/${artifact}`])
    assert.deepEqual(kindOf(path, 'file'), { kind: 'file' }, path);
});
