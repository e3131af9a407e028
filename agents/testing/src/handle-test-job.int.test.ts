import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { before, test } from 'node:test';
import { type FakeFiles, type FakeManager, makeTestPayload, startFakeManager } from '@dbox/agent-sdk/testing';
import type { Check, TestJobResult, TestPayload } from '@dbox/contracts';
import { findToolchain, openSandbox, type Sandbox } from '@dbox/sandbox';
import { startTestingAgent } from './start-testing-agent.ts';

let real: Sandbox;
let none: Sandbox;
before(async () => {
  const toolchain = await findToolchain();
  real = await openSandbox({ toolchain });
  none = await openSandbox({ toolchain, allowNone: true });
});

const GOOD_TEST = "import { test } from 'node:test';\ntest('fine', () => {});\n";
const RUN_ALL = { executable: '#!/bin/sh\nexec node --test\n' };
const GOOD_FILES: FakeFiles = { 'run-tests.sh': RUN_ALL, 'test/good.test.js': GOOD_TEST };

interface Box {
  readonly manager: FakeManager;
  readonly stateDir: string;
  run(
    files: FakeFiles,
    payload: Partial<TestPayload>,
  ): Promise<{ result: TestJobResult; job: ReturnType<FakeManager['enqueue']> }>;
}

async function startBox(
  t: TestContext,
  o: { sandbox?: Sandbox; allowUnsandboxed?: boolean } = {},
): Promise<Box> {
  const manager = await startFakeManager();
  const stateDir = await mkdtemp(join(tmpdir(), 'dbox-testing-'));
  const agent = await startTestingAgent({
    managerUrl: manager.url,
    token: manager.token,
    stateDir,
    name: 'testing',
    version: '0.0.0',
    capacity: 1,
    sandbox: o.sandbox ?? real,
    // Where this machine has no sandbox, the other tests still say something without one.
    allowUnsandboxed: o.allowUnsandboxed ?? (o.sandbox === undefined && real.kind === 'none'),
  });
  t.after(async () => {
    await agent.stop({ graceMs: 0 });
    await manager.stop();
    await rm(stateDir, { recursive: true, force: true });
  });
  return {
    manager,
    stateDir,
    async run(files, payload) {
      const commit = payload.commit ?? (await manager.repository.commit({ files }));
      const job = manager.enqueue(makeTestPayload({ ...payload, commit }));
      return { result: (await job.finished) as TestJobResult, job };
    },
  };
}

function succeeded(result: TestJobResult) {
  assert.equal(result.outcome, 'succeeded', JSON.stringify(result));
  return result as Extract<TestJobResult, { outcome: 'succeeded' }>;
}

function commandCheck(run: string, exitCode: number, digit: string): Check {
  return {
    id: `chk_${digit.repeat(12)}`,
    project: 'demo',
    taskId: 'task-001',
    criterion: { kind: 'command', run, exitCode },
    status: 'proposed',
  };
}

test('the tests of a commit run apart from the agent and are counted', async (t) => {
  const box = await startBox(t);
  const { result, job } = await box.run(GOOD_FILES, { tests: [{ run: './run-tests.sh' }] });
  const [one] = succeeded(result).tests;
  assert.equal(one?.outcome, 'passed');
  assert.deepEqual(one?.counts, { runner: 'node', passed: 1, failed: 0, skipped: 0 });
  assert.equal(one?.exitCode, 0);
  assert.match(`${one?.outputHead}${one?.outputTail}`, /pass 1/);
  await job.logged('$ ./run-tests.sh');
});

test('a command gets CI, DATA_DIR and the project address, and nothing of the agent', async (t) => {
  const box = await startBox(t);
  const { result } = await box.run(
    { 'a.txt': 'a' },
    {
      devUrl: 'http://127.0.0.1:8080',
      tests: [
        { run: 'env; touch "$DATA_DIR/mine"; ls "$DATA_DIR"' },
        { run: 'ls "$DATA_DIR"; git log --oneline' },
      ],
    },
  );
  const [first, second] = succeeded(result).tests;
  assert.match(first?.outputHead ?? '', /^CI=true$/m);
  assert.match(first?.outputHead ?? '', /^DBOX_URL=http:\/\/127\.0\.0\.1:8080$/m);
  assert.doesNotMatch(first?.outputHead ?? '', new RegExp(box.manager.token));
  assert.match(first?.outputHead ?? '', /^mine$/m);
  // A fresh DATA_DIR, and the history to read.
  assert.doesNotMatch(second?.outputHead ?? '', /mine/);
  assert.match(second?.outputHead ?? '', /^[0-9a-f]{7,} /m);
});

test('a test cannot read the files, the token or the network of the agent', async (t) => {
  if (real.kind === 'none') return t.skip(`no sandbox here: ${real.missing}`);
  const box = await startBox(t);
  const canary = join(box.stateDir, 'canary.txt');
  await writeFile(canary, 'canary-7d1f');
  let reached = 0;
  const server = createServer((_, response) => {
    reached += 1;
    response.end('reached');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const probe = `cat ${canary}; ls ${box.stateDir} /work /root /home; cat /proc/1/environ; node -e "fetch('http://127.0.0.1:${port}').then(async r => console.log(await r.text()), e => console.log('unreachable', e.cause?.code))"`;
  const { result } = await box.run({ 'a.txt': 'a' }, { tests: [{ run: probe }] });
  const [one] = succeeded(result).tests;
  const output = `${one?.outputHead}${one?.outputTail}`;
  assert.doesNotMatch(output, /canary-7d1f/);
  assert.doesNotMatch(output, /reached/);
  assert.match(output, /unreachable ECONNREFUSED/);
  assert.ok(!output.includes(box.manager.token));
  assert.equal(reached, 0);
});

test('every entry begins with the files of the commit, whatever the one before did', async (t) => {
  const box = await startBox(t);
  const { result } = await box.run(
    {
      ...GOOD_FILES,
      'test/bad.test.js': "import { test } from 'node:test';\ntest('bad', () => { throw 1; });\n",
    },
    {
      tests: [
        {
          run: 'rm test/bad.test.js; echo "exit 0" > run-tests.sh; echo x > new.txt; mkdir -p sub/.git shut/in; chmod 0 shut; ln -s / root; exit 3',
        },
        { run: './run-tests.sh' },
        { run: 'ls -A' },
      ],
    },
  );
  const [vandal, honest, list] = succeeded(result).tests;
  assert.equal(vandal?.exitCode, 3);
  assert.equal(honest?.outcome, 'failed');
  assert.deepEqual(honest?.counts, { runner: 'node', passed: 1, failed: 1, skipped: 0 });
  assert.deepEqual(list?.outputHead.trim().split('\n'), ['.git', 'run-tests.sh', 'test']);
});

test('what a test writes into the repository is not obeyed by the git of the agent', async (t) => {
  for (const sandbox of [real, none]) {
    const box = await startBox(t, { sandbox, allowUnsandboxed: true });
    const canary = join(box.stateDir, 'escaped');
    const filter = `git config filter.x.smudge 'touch ${canary}; cat'; git config core.fsmonitor 'touch ${canary}'`;
    const { result } = await box.run(
      { 'a.txt': 'a', '.gitattributes': '* filter=x\n' },
      { tests: [{ run: `${filter}; git init -q . ; ${filter}; rm -f a.txt` }, { run: 'cat a.txt' }] },
    );
    assert.equal(succeeded(result).tests[1]?.outputHead, 'a');
    assert.equal(existsSync(canary), false, sandbox.kind);
  }
});

test('command checks must end with the exit code they name', async (t) => {
  const box = await startBox(t);
  const { result } = await box.run(
    { 'a.txt': 'a' },
    {
      checks: [
        commandCheck('test -f a.txt', 0, 'a'),
        commandCheck('test -f b.txt', 0, 'b'),
        commandCheck('exit 3', 3, 'c'),
        commandCheck('nosuchprogram', 0, 'd'),
      ],
    },
  );
  assert.deepEqual(
    succeeded(result).checks.map((check) => check.outcome),
    ['passed', 'failed', 'passed', 'could_not_run'],
  );
});

test('existing test files that the commit changed or deleted are named, new ones are not', async (t) => {
  const box = await startBox(t);
  const { repository } = box.manager;
  const base = await repository.commit({
    files: { ...GOOD_FILES, 'test/gone.test.js': GOOD_TEST, 'verify.sh': 'exit 0\n', 'src.js': '1\n' },
  });
  const commit = await repository.commit({
    files: {
      ...GOOD_FILES,
      'test/good.test.js': '',
      'verify.sh': 'exit 0 \n',
      'test/new.test.js': GOOD_TEST,
      'src.js': '2\n',
    },
    parent: base,
  });
  const { result } = await box.run({}, { commit, baseCommit: base, tests: [{ run: 'sh verify.sh' }] });
  assert.deepEqual(succeeded(result).changedTestFiles, [
    'test/gone.test.js',
    'test/good.test.js',
    'verify.sh',
  ]);
});

test('a test that never ends is ended and named when the time of the task is up', async (t) => {
  const box = await startBox(t);
  const { result } = await box.run(
    { 'a.txt': 'a' },
    { maxMinutes: 1 / 60, tests: [{ run: 'echo begun; sleep 600' }, { run: 'true' }] },
  );
  const [endless, late] = succeeded(result).tests;
  assert.equal(endless?.outcome, 'failed');
  assert.match(endless?.detail ?? '', /did not end within/);
  assert.equal(endless?.outputHead, 'begun\n');
  assert.equal(late?.outcome, 'could_not_run');
});

test('a missing script, an absent file and no test at all could not run', async (t) => {
  const box = await startBox(t);
  const { result } = await box.run(
    { 'package.json': '{"name":"x"}', 'test/empty.test.js': '' },
    { tests: [{ run: 'npm run nosuch' }, { run: './run-tests.sh' }, { run: 'node --test' }] },
  );
  for (const one of succeeded(result).tests) {
    assert.deepEqual([one.outcome, one.cause], ['could_not_run', 'commit'], one.detail);
  }
});

test('dependencies that cannot be had leave every entry not run, with the reason', async (t) => {
  const box = await startBox(t);
  const { result } = await box.run(
    {
      'package.json': '{"name":"x","dependencies":{"y":"file:./nowhere/y.tgz"}}',
      'package-lock.json': '{"name":"x","lockfileVersion":3,"packages":{}}',
    },
    { tests: [{ run: 'npm test' }], checks: [commandCheck('true', 0, 'a')] },
  );
  const { tests, checks } = succeeded(result);
  assert.deepEqual([tests[0]?.outcome, tests[0]?.cause], ['could_not_run', 'commit']);
  assert.match(tests[0]?.detail ?? '', /dependencies could not be installed/);
  assert.equal(checks[0]?.outcome, 'could_not_run');
});

test('artifacts of every entry are kept, and none from outside of the tree', async (t) => {
  const box = await startBox(t);
  const { result, job } = await box.run(
    { 'a.txt': 'a' },
    {
      artifacts: [
        'report.txt',
        'coverage',
        '../../secret',
        '/etc/passwd',
        'link.txt',
        'dir/passwd',
        '.git/config',
      ],
      tests: [
        { run: 'echo one > report.txt; mkdir -p coverage/html; echo c > coverage/html/index.html' },
        { run: 'ln -s /etc/passwd link.txt; ln -s /etc dir; mkfifo coverage' },
      ],
    },
  );
  succeeded(result);
  assert.deepEqual([...job.artifacts.keys()].sort(), ['coverage-html-index.html', 'report.txt']);
  assert.equal(job.artifacts.get('report.txt')?.bytes.toString(), 'one\n');
});

test('without a sandbox foreign code is refused, with what is missing', async (t) => {
  const box = await startBox(t, { sandbox: none });
  const { result } = await box.run(GOOD_FILES, { tests: [{ run: './run-tests.sh' }] });
  assert.equal(result.outcome, 'failed');
  assert.ok(result.outcome === 'failed');
  assert.equal(result.cause, 'host');
  assert.match(result.detail, /bubblewrap.*--no-sandbox/s);
});

test('without a sandbox the code of the box itself, and what a person allowed, runs with a warning', async (t) => {
  for (const o of [{ trusted: true }, { trusted: false, allowUnsandboxed: true }]) {
    const box = await startBox(t, { sandbox: none, allowUnsandboxed: o.allowUnsandboxed ?? false });
    const { result, job } = await box.run(GOOD_FILES, {
      trusted: o.trusted,
      tests: [{ run: './run-tests.sh' }],
    });
    assert.equal(succeeded(result).tests[0]?.outcome, 'passed');
    await job.logged('without a sandbox');
  }
});

test('a job whose lease is lost stops what runs, and its scratch tree goes', async (t) => {
  const box = await startBox(t);
  const commit = await box.manager.repository.commit({ files: { 'a.txt': 'a' } });
  const job = box.manager.enqueue(makeTestPayload({ commit, tests: [{ run: 'echo begun; sleep 600' }] }));
  await job.logged('begun');
  job.cancel();
  await box.manager.until(() => (existsSync(join(box.stateDir, 'jobs', `${job.id}-1`)) ? null : true));
  assert.equal(job.result, null);
});
