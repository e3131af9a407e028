import assert from 'node:assert/strict';
import { access, lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoryReport } from '@dbox/contracts';
import type { Box } from '../box.ts';
import { get, until } from '../box.ts';
import type { Scenario } from '../scenario.ts';
import { BOTH, devOf, showTask, status } from '../scenario.ts';

export const blogStory: Scenario = {
  name: 'one command takes a sentence to a live, watched blog, and down and up bring it back',
  modes: BOTH,
  stack: 'stories',
  async run(box) {
    const run = await box.ok(['run', 'Develop and run a blog site']);
    const url = run.stdout.trim().split('\n').at(-1)!;
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.match(run.stderr, /template/i, 'the engine is named, and that it was a template');
    const front = await get(url);
    assert.equal(front.status, 200);
    assert.match(front.text, /blog/i);
    assert.match((await get(`${url}/feed.xml`)).text, /<rss/);

    const report = await status(box);
    assert.equal(report.stories[0]!.status, 'delivered');
    const project = report.projects[0]!.name;
    await until('the blog is seen healthy', async () => (await devOf(box, project)).health === 'healthy');
    assert.equal((await devOf(box, project)).release!.status, 'live');
    assert.equal((await devOf(box, project)).engine, 'template');

    const story = await box.json<StoryReport>(['show', report.stories[0]!.id]);
    const task = await showTask(box, story.tasks[0]!.id);
    assert.equal(task.attempts[0]!.verdict!.outcome, 'passed');
    assert.ok(task.attempts[0]!.verdict!.tests[0]!.counts!.passed > 0, "the blog's own tests were counted");
    await access(join(box.workspace, 'tasks', task.id, 'spec.yaml'));
    await until('the source lies on the share', () =>
      access(join(box.workspace, 'tasks', task.id, 'src', 'package.json')).then(
        () => true,
        () => false,
      ),
    );
    for (const role of ['viewer', 'operator', 'admin', 'agent-coding']) {
      const file = await lstat(join(box.workspace, 'secrets', `${role}.token`));
      assert.equal(file.mode & 0o777, 0o600);
    }

    await box.ok(['down']);
    await assert.rejects(get(url), 'after down nothing serves');
    await assertEndedInOrder(box);
    await box.ok(['up']);
    await until('the blog is back', async () => (await get(url).catch(() => null))?.status === 200);
    assert.match((await box.ok(['events', 'verify'])).stdout, /ok|whole|intact|verified/i);
  },
};

export const seedSpec: Scenario = {
  name: 'create-blog.yaml is delivered letter for letter, and a second time under suffixed ids',
  modes: BOTH,
  stack: 'stories',
  async run(box) {
    const file = await box.copyOfRoot('specs/create-blog.yaml');
    await box.ok(['up']);
    const first = await box.json<StoryReport>(['story', '-f', file, '--follow']);
    assert.equal(first.story.status, 'delivered');
    assert.equal(first.tasks[0]!.id, 'task-001');
    assert.equal(first.tasks[0]!.status, 'deployed');
    assert.equal(first.tasks[0]!.engine, 'template');
    assert.equal((await get(first.url!)).status, 200);
    assert.match(await readFile(join(box.workspace, 'tasks/task-001/spec.yaml'), 'utf8'), /simple-static/);
    const second = await box.json<StoryReport>(['story', '-f', file, '--follow']);
    assert.equal(second.tasks[0]!.id, 'task-001-2');
    assert.notEqual(second.url, first.url);
    assert.equal((await get(first.url!)).status, 200);
  },
};

export const followUp: Scenario = {
  name: 'a second story goes on with the project and its main',
  modes: BOTH,
  stack: 'stories',
  async run(box) {
    const first = await box.json<StoryReport>(['run', 'Develop and run a blog site about gardening']);
    const project = first.project.name;
    const second = await box.json<StoryReport>(['run', 'Add a post about tomatoes', '--project', project]);
    assert.equal(second.story.status, 'delivered');
    assert.equal(second.url, first.url);
    assert.match((await get(second.url!)).text, /tomatoes/i);
    const api = await box.json<StoryReport>(['run', 'Build a REST API for bookmarks']);
    assert.equal(api.story.status, 'delivered');
    const made = await fetch(`${api.url}/bookmarks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'one' }),
    });
    assert.ok(made.status < 300, await made.text());
    await box.ok(['down']);
    await box.ok(['up']);
    await until('the data is still there', async () =>
      /one/.test((await get(`${api.url}/bookmarks`).catch(() => null))?.text ?? ''),
    );
  },
};

/** A store that is killed instead of stopped has to repair itself at its next start. */
async function assertEndedInOrder(box: Box): Promise<void> {
  for (const { Name, State, Config } of (await box.stack?.containers()) ?? []) {
    if (Config.Labels['com.docker.compose.service'] === undefined) continue;
    assert.deepEqual([State.Running, State.ExitCode], [false, 0], `${Name} ended in order`);
  }
}
