import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoryReport } from '@dbox/contracts';
import type { Box } from '../box.ts';
import { get, until } from '../box.ts';
import { nodeTest, page, recordTasks } from '../recorded-task.ts';
import type { Scenario } from '../scenario.ts';
import { showTask, status } from '../scenario.ts';

export const gitMissing: Scenario = {
  name: 'without git the box does not start and doctor fails, both saying what to install',
  async run(box) {
    const env = { PATH: await pathWithout(box, ['git']) };
    const up = await box.dbox(['up'], { env });
    assert.equal(up.code, 1, up.stdout + up.stderr);
    assert.match(up.stderr, /git/);
    assert.match(up.stderr, /[Ii]nstall/);
    assert.doesNotMatch(up.stderr, /\n\s+at .*\.ts:\d+/, 'a missing program is no bug: no stack');
    assert.equal(await box.pid(), null);
    const doctor = await box.dbox(['doctor'], { env });
    assert.equal(doctor.code, 1);
    assert.match(doctor.stdout + doctor.stderr, /git[\s\S]*not installed[\s\S]*[Ii]nstall/);
  },
};

export const noSandbox: Scenario = {
  name: "without bubblewrap the template's site goes live with a warning, foreign code waits for --no-sandbox",
  async run(box) {
    const env = { PATH: await pathWithout(box, ['bwrap']) };
    const run = await box.dbox(['run', 'A page that says hello'], { env });
    assert.equal(run.code, 0, run.stdout + run.stderr);
    assert.match((await get(run.stdout.trim().split('\n').at(-1)!)).text, /hello/i);
    assert.match((await status(box)).box.warnings.join('\n'), /bubblewrap/);
    const doctor = await box.dbox(['doctor'], { env });
    assert.match(doctor.stdout + doctor.stderr, /install bubblewrap|bubblewrap.*not installed/);

    const file = await recordTasks(box.directory, [
      {
        id: 'foreign',
        attempts: [{ ...page('foreign'), ...nodeTest('there', "  assert.ok(existsSync('index.html'));") }],
        tests: ['node --test'],
        acceptance: '  - url: /\n    contains: foreign\n',
      },
    ]);
    const refused = await box.dbox(['story', '-f', file, '--project', 'foreign', '--follow', '--json']);
    const blocked = JSON.parse(refused.stdout) as StoryReport;
    assert.equal(blocked.story.status, 'blocked', refused.stdout);
    const { reason, status: state } = await showTask(box, 'foreign');
    assert.equal(state, 'blocked');
    assert.match(reason!, /bubblewrap/);
    assert.match(reason!, /--no-sandbox/);

    await box.ok(['down']);
    const up = await box.dbox(['up', '--no-sandbox'], { env });
    assert.equal(up.code, 0, up.stderr);
    await box.ok(['retry', 'foreign']);
    await until(
      'it is delivered without a sandbox',
      async () => (await showTask(box, 'foreign')).status === 'deployed',
    );
    const story = await box.json<StoryReport>(['show', blocked.story.id]);
    assert.match((await get(story.url!)).text, /foreign/);
  },
};

/** Everything that is on the path, but not these programs. */
async function pathWithout(box: Box, hidden: readonly string[]): Promise<string> {
  const directory = join(box.directory, 'bin');
  await mkdir(directory);
  for (const place of (process.env.PATH ?? '').split(':')) {
    for (const name of await readdir(place).catch(() => [])) {
      const link = join(directory, name);
      if (!hidden.includes(name) && !existsSync(link))
        await symlink(join(place, name), link).catch(() => undefined);
    }
  }
  return directory;
}
