import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { StatusReport, StoryReport } from '@dbox/contracts';
import { get, until } from '../box.ts';
import { nodeTest, page, recordTasks } from '../recorded-task.ts';
import type { Scenario } from '../scenario.ts';
import { BOTH, deliver, devOf, showTask } from '../scenario.ts';

export const wrongThenRight: Scenario = {
  name: 'a wrong attempt is reworked with the evidence and delivered on the second, both verdicts kept',
  modes: BOTH,
  async run(box) {
    await box.ok(['up']);
    const check = nodeTest('greets', "  assert.match(readFileSync('index.html', 'utf8'), /hello/);");
    const report = await deliver(box, 'greet', [
      {
        id: 'greet',
        attempts: [{ ...page('wrong'), ...check }, page('hello')],
        tests: ['node --test'],
        acceptance: '  - url: http://devsite:8080\n  - should_respond: 200\n  - contains: hello\n',
      },
    ]);
    assert.equal(report.tasks[0]!.attemptCount, 2);
    assert.equal(report.tasks[0]!.engine, 'scripted');
    const { attempts } = await showTask(box, 'greet');
    assert.deepEqual(
      attempts.map((attempt) => attempt.verdict!.outcome),
      ['failed', 'passed'],
    );
    assert.equal(attempts[0]!.verdict!.tests[0]!.exitCode, 1);
    const { outputHead, outputTail } = attempts[0]!.verdict!.tests[0]!;
    assert.match(outputHead + outputTail, /hello/);
    assert.match((await get(report.url!)).text, /hello/);
    assert.match((await box.ok(['diff', 'greet'])).stdout, /\+.*hello/);
    assert.match((await box.ok(['logs', 'greet'])).stdout, /fail 1|not ok|✖/);
  },
};

export const graphWithConflict: Scenario = {
  name: 'a graph of five tasks on one project lands in order, a conflict reworked, nothing lost',
  modes: BOTH,
  async run(box) {
    await box.ok(['up']);
    const counted = (name: string) => nodeTest(name, `  assert.ok(existsSync('${name}.txt'));`);
    const report = await deliver(box, 'graph', [
      {
        id: 'base',
        attempts: [{ ...page('graph'), 'base.txt': '1\n', 'shared.txt': 'base\n', ...counted('base') }],
        tests: ['node --test'],
      },
      {
        id: 'left',
        dependsOn: ['base'],
        attempts: [
          { 'left.txt': '1\n', 'shared.txt': 'left\n', ...counted('left') },
          { 'left.txt': '1\n', 'shared.txt': 'left and right\n' },
        ],
        tests: ['node --test'],
      },
      {
        id: 'right',
        dependsOn: ['base'],
        attempts: [
          { 'right.txt': '1\n', 'shared.txt': 'right\n', ...counted('right') },
          { 'right.txt': '1\n', 'shared.txt': 'left and right\n', ...counted('right') },
        ],
        tests: ['node --test'],
      },
      {
        id: 'side',
        dependsOn: ['base'],
        attempts: [{ 'side.txt': '1\n', ...counted('side') }],
        tests: ['node --test'],
      },
      {
        id: 'top',
        dependsOn: ['left', 'right', 'side'],
        attempts: [{ 'top.txt': '1\n', ...counted('top') }],
        tests: ['node --test'],
      },
    ]);
    assert.equal(report.story.status, 'delivered');
    const tries = Object.fromEntries(report.tasks.map((task) => [task.id, task.attemptCount]));
    assert.equal(tries.left! + tries.right!, 3, 'one of the two that clash was reworked');
    await box.ok(['clone', 'graph', `${box.directory}/clone`]);
    const files = execFileSync('git', ['ls-files'], { cwd: `${box.directory}/clone`, encoding: 'utf8' });
    for (const name of ['base', 'left', 'right', 'side', 'top'])
      assert.match(files, new RegExp(`^${name}\\.txt$`, 'm'));
    const shared = execFileSync('git', ['show', 'HEAD:shared.txt'], {
      cwd: `${box.directory}/clone`,
      encoding: 'utf8',
    });
    assert.equal(shared, 'left and right\n');
  },
};

export const reworkBesideMain: Scenario = {
  name: 'a wrong attempt is reworked though main has moved meanwhile',
  async run(box) {
    await box.ok(['up']);
    await deliver(box, 'moved', [{ id: 'moved-base', attempts: [page('base')], acceptance: '  - url: /\n' }]);
    // The slow one begins, another lands meanwhile, and only then does the slow one fail.
    const slow = nodeTest(
      'slow',
      "  const end = Date.now() + 4000; while (Date.now() < end);\n  assert.ok(existsSync('right.txt'));",
    );
    const file = await recordTasks(box.directory, [
      { id: 'slow', attempts: [{ 'wrong.txt': '1', ...slow }, { 'right.txt': '1' }], tests: ['node --test'] },
    ]);
    const slowStory = box.json<StoryReport>(['story', '-f', file, '--project', 'moved', '--follow']);
    await until(
      'the slow test runs',
      async () => (await showTask(box, 'slow').catch(() => null))?.status === 'complete',
    );
    await deliver(box, 'moved', [
      { id: 'quick', attempts: [{ 'quick.txt': '1' }], acceptance: '  - url: /\n' },
    ]);
    const report = await slowStory;
    assert.equal(report.story.status, 'delivered');
    assert.equal(report.tasks[0]!.attemptCount, 2);
    await box.ok(['clone', 'moved', `${box.directory}/clone`]);
    const files = execFileSync('git', ['ls-files'], { cwd: `${box.directory}/clone`, encoding: 'utf8' });
    for (const name of ['quick.txt', 'right.txt', 'index.html']) assert.ok(files.includes(name), name);
  },
};

export const twoProjects: Scenario = {
  name: 'two projects are worked on at once and served side by side',
  modes: BOTH,
  async run(box) {
    await box.ok(['up']);
    const names = ['alpha', 'beta'];
    const reports = await Promise.all(
      names.map(async (name) => {
        const file = await recordTasks(box.directory, [
          { id: name, attempts: [page(name)], acceptance: `  - url: /\n    contains: ${name}\n` },
        ]);
        return box.json<StoryReport>(['story', '-f', file, '--project', name, '--follow']);
      }),
    );
    assert.notEqual(reports[0]!.url, reports[1]!.url);
    for (const [index, name] of names.entries())
      assert.match((await get(reports[index]!.url!)).text, new RegExp(name));
    const port = new URL(reports[0]!.url!).port;
    const byName = await fetch(`http://127.0.0.1:${port}/`, { headers: { host: `beta.localhost:${port}` } });
    // fetch may refuse to set Host; then the name cannot be tried this way.
    if (byName.url) assert.equal(byName.status, 200);
    const status = await box.json<StatusReport>(['status']);
    for (const name of names)
      assert.ok(
        status.projects.some((project) => project.name === name),
        name,
      );
    assert.equal((await showTask(box, 'alpha')).attempts[0]!.verdict!.checks[0]!.outcome, 'passed');
    assert.equal((await devOf(box, 'beta')).release!.status, 'live');
  },
};
