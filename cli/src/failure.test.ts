import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProblemCode } from '@dbox/contracts';
import { PROBLEM_STATUS, ProblemError, UnreachableError } from '@dbox/contracts';
import { EXIT } from './exit-codes.ts';
import { CliError, describeFailure } from './failure.ts';

test('whoever may not is told so with exit code 4', () => {
  for (const code of ['unauthenticated', 'forbidden'] as const) {
    assert.equal(describeFailure(new ProblemError(code, 'no')).exitCode, EXIT.notAuthorised);
  }
});

test('a box that is away or stopping is exit code 5', () => {
  assert.equal(describeFailure(new UnreachableError('gone')).exitCode, EXIT.unreachable);
  assert.equal(describeFailure(new ProblemError('stopping', 'bye')).exitCode, EXIT.unreachable);
  assert.equal(describeFailure(new CliError('box_unreachable', 'none')).exitCode, EXIT.unreachable);
});

test('wrong input is exit code 2 and what the box could not do is 1', () => {
  const codes = Object.keys(PROBLEM_STATUS) as ProblemCode[];
  const exits = Object.groupBy(codes, (code) => describeFailure(new ProblemError(code, 'x')).exitCode);
  assert.ok(exits[EXIT.usage]?.includes('invalid_spec'));
  assert.ok(exits[EXIT.usage]?.includes('story_empty'));
  assert.ok(exits[EXIT.failed]?.includes('illegal_transition'));
  assert.ok(exits[EXIT.failed]?.includes('project_taken'));
  assert.ok(exits[EXIT.failed]?.includes('internal'));
  assert.ok(!exits[EXIT.ok], 'no problem ends with 0');
});

test('findings of the box go into the failure', () => {
  const finding = {
    code: 'unknown_key',
    severity: 'error',
    file: 'a.yaml',
    line: 3,
    column: 5,
    path: 'foo',
    message: 'unknown key',
    hint: 'remove it',
  } as const;
  const failure = describeFailure(new ProblemError('invalid_spec', 'wrong', { findings: [finding] }));
  assert.deepEqual(failure.findings, [finding]);
});

test('a bug is an internal failure with what it said', () => {
  assert.deepEqual(describeFailure(new TypeError('x is undefined')), {
    code: 'internal',
    detail: 'x is undefined',
    hint: null,
    exitCode: EXIT.failed,
  });
});
