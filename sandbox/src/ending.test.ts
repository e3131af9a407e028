import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeEnding } from './ending.ts';

const NORMAL = {
  forced: null,
  report: 'started\nleft 0\n',
  exitCode: 0,
  signal: null,
  swept: 0,
  outputHead: '',
} as const;

test('a command ends with its own exit code, and a signal is named', () => {
  assert.deepEqual(judgeEnding({ ...NORMAL, exitCode: 3 }), {
    end: 'exited',
    exitCode: 3,
    signal: null,
    leftBehind: 0,
    detail: 'exit 3',
  });
  assert.deepEqual(judgeEnding({ ...NORMAL, exitCode: 139 }).signal, 'SIGSEGV');
  assert.deepEqual(judgeEnding({ ...NORMAL, exitCode: null, signal: 'SIGKILL' }).exitCode, 137);
});

test('processes left behind are counted from inside and outside', () => {
  const ending = judgeEnding({ ...NORMAL, report: 'started\nleft 2\n', swept: 1 });
  assert.equal(ending.leftBehind, 3);
  assert.match(ending.detail, /left 3 processes behind/);
});

test('what never said that it had started could not start, and the sandbox says why', () => {
  const ending = judgeEnding({ ...NORMAL, report: '', exitCode: 1, outputHead: 'bwrap: No permissions\n' });
  assert.equal(ending.end, 'could_not_start');
  assert.match(ending.detail, /No permissions/);
});

test('what the sandbox ended is named for the reason, not for its exit code', () => {
  const forced = { end: 'timed_out', detail: 'did not end within 1 s and was ended' } as const;
  const ending = judgeEnding({ ...NORMAL, forced, exitCode: 0 });
  assert.deepEqual([ending.end, ending.exitCode], ['timed_out', null]);
});
