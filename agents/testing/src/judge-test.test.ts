import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandOutcome } from '@dbox/sandbox';
import { judgeTest } from './judge-test.ts';

function ended(parts: Partial<CommandOutcome>): CommandOutcome {
  return {
    end: 'exited',
    exitCode: 0,
    signal: null,
    head: '',
    tail: '',
    cutBytes: 0,
    durationMs: 5,
    leftBehind: 0,
    detail: `exit ${parts.exitCode ?? 0}`,
    ...parts,
  };
}
function judged(run: string, parts: Partial<CommandOutcome>) {
  const { outcome, cause, detail } = judgeTest(run, ended(parts));
  return { outcome, cause, detail };
}
const summary = (pass: number, fail: number, skipped: number) =>
  `ℹ tests 1\nℹ suites 0\nℹ pass ${pass}\nℹ fail ${fail}\nℹ cancelled 0\nℹ skipped ${skipped}\nℹ todo 0\n`;

test('exit 0 with counted tests passes', () => {
  assert.deepEqual(judged('npm test', { head: summary(3, 0, 1) }), {
    outcome: 'passed',
    cause: null,
    detail: 'exit 0; 3 passed, 1 skipped',
  });
});

test('exit 0 without counts passes and says that nothing was counted', () => {
  const result = judgeTest('./run-tests.sh', ended({ head: 'all good\n' }));
  assert.equal(result.outcome, 'passed');
  assert.equal(result.detail, 'exit 0; the runner printed no counts');
  assert.equal(result.counts, null);
});

test('an exit code other than 0 fails even where the counts look green', () => {
  assert.equal(judged('npm test', { exitCode: 1, head: summary(3, 0, 0) }).outcome, 'failed');
});

test('counted failures fail even where the exit code is 0', () => {
  assert.deepEqual(judged('npm test || true', { head: summary(3, 1, 0) }), {
    outcome: 'failed',
    cause: null,
    detail: 'exit 0 although tests failed: 3 passed, 1 failed',
  });
});

test('a runner that executed no test, or skipped all, could not run and the commit is the cause', () => {
  for (const [output, exitCode] of [
    [summary(0, 0, 0), 0],
    [summary(0, 0, 7), 0],
    ['No test files found, exiting with code 1\n', 1],
    ['no tests ran in 0.01s\n', 5],
  ] as const) {
    const result = judged('npm test', { exitCode, head: output });
    assert.equal(result.outcome, 'could_not_run', output);
    assert.equal(result.cause, 'commit', output);
  }
});

test('an empty test file, which node counts as one passed test, proves nothing', () => {
  const result = judged('node --test', { head: `✔ test/empty.test.js (33.5ms)\n${summary(1, 0, 0)}` });
  assert.equal(result.outcome, 'could_not_run');
});

test('what is not there could not run, and the commit is the cause where it can mend that', () => {
  const cases: [run: string, exitCode: number, output: string, cause: 'commit' | 'host'][] = [
    ['./run-tests.sh', 127, '/bin/sh: 1: ./run-tests.sh: not found\n', 'commit'],
    ['./run-tests.sh', 126, '/bin/sh: 1: ./run-tests.sh: Permission denied\n', 'commit'],
    ['./run-tests.sh', 127, './run-tests.sh: line 3: pytest: command not found\n', 'commit'],
    ['npm test', 127, 'sh: 1: vitest: not found\n', 'commit'],
    ['npm test', 127, '/bin/sh: 1: npm: not found\n', 'host'],
    ['CI=1 pytest -q', 127, '/bin/sh: 1: pytest: not found\n', 'host'],
    ['npm run check', 1, 'npm error Missing script: "check"\nnpm error\n', 'commit'],
    ['npm run check', 1, 'npm ERR! Missing script: "check"\n', 'commit'],
    ['sh run-tests.sh', 2, 'sh: 0: cannot open run-tests.sh: No such file\n', 'commit'],
    ['node --test a.test.js', 1, "Could not find 'a.test.js'\n", 'commit'],
    [
      'python3 t.py',
      2,
      "python3: can't open file '/src/t.py': [Errno 2] No such file or directory\n",
      'commit',
    ],
    ['make test', 2, "make: *** No rule to make target 'test'.  Stop.\n", 'commit'],
  ];
  for (const [run, exitCode, output, cause] of cases) {
    const result = judged(run, { exitCode, head: output });
    assert.deepEqual([result.outcome, result.cause], ['could_not_run', cause], `${run}: ${output}`);
  }
});

test('a module that a test imports in vain is a failure, not an absent test', () => {
  const output = "Error: Cannot find module './app'\nRequire stack:\n- /src/test/app.test.js\n";
  assert.equal(judged('npm test', { exitCode: 1, head: output }).outcome, 'failed');
});

test('a test that had to be ended is a failure named for what it did', () => {
  for (const [end, detail] of [
    ['timed_out', 'did not end within 60 s and was ended'],
    ['out_of_memory', 'used more than 2048 MB of memory and was ended'],
    ['too_many_processes', 'had more than 256 processes at once and was ended'],
  ] as const) {
    // A summary it printed before does not save it.
    const result = judged('npm test', { end, exitCode: null, detail, head: summary(3, 0, 0) });
    assert.deepEqual(result, { outcome: 'failed', cause: null, detail: `the test ${detail}` });
  }
});

test('a sandbox that could not start it is the fault of the host', () => {
  const result = judged('npm test', {
    end: 'could_not_start',
    exitCode: null,
    detail: 'could not be started',
  });
  assert.deepEqual([result.outcome, result.cause], ['could_not_run', 'host']);
});

test('a flood of output and processes left behind are named beside the outcome', () => {
  const result = judged('npm test', {
    detail: 'exit 0; left 2 processes behind, which the sandbox ended',
    head: summary(1, 0, 0),
    cutBytes: 1_000_000_000,
  });
  assert.match(result.detail, /left 2 processes behind/);
  assert.match(result.detail, /more than 953 MB/);
});

test('evidence holds no escape sequences, and colours do not hide the counts', () => {
  const result = judgeTest(
    'npm test',
    ended({ head: `\u001b[32m${summary(2, 0, 0)}\u001b[0m\u0007\u001b]0;x\u0007` }),
  );
  assert.equal(result.counts?.passed, 2);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the very thing that must not be there
  assert.doesNotMatch(result.outputHead, /[\u0000-\u0008\u000b-\u001f]/);
});
