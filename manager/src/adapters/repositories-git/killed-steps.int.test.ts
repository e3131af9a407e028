import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createGitRepositories } from './git-repositories.ts';
import { type Steps, takeSteps } from './testing/killed-steps.ts';
import { newDirectory, runPlainGit, scratchRepository } from './testing/scratch-repository.ts';

/** More git calls than the steps make; reaching it would mean that no run ever ended. */
const MAX_CALLS = 40;

test('killed before any of its git calls, the path of an attempt ends the same when it is taken again', async (t) => {
  const workspace = newDirectory(t);
  const agent = scratchRepository(t);
  const repositories = createGitRepositories({ workspace });
  const root = await repositories.create('blog');
  const source = await repositories.bundle({ project: 'blog', commit: root, have: null });
  agent.fetch(source.path);
  await source.dispose();

  // A git that kills whoever called it for the n-th time.
  const git = join(agent.directory, '.git', 'killing-git');
  const left = join(agent.directory, '.git', 'calls-left');
  writeFileSync(
    git,
    `#!/bin/sh\nn=$(cat '${left}')\necho $((n - 1)) > '${left}'\n[ "$n" -gt 0 ] || { kill -9 $PPID; exit 1; }\nexec git "$@"\n`,
  );
  chmodSync(git, 0o755);

  let killed = 0;
  for (let calls = 0; ; calls++) {
    assert.ok(calls < MAX_CALLS);
    const taskId = `task-${calls}`;
    const main = agent.commit({ 'main.txt': `${calls}` }, root);
    const mainBundle = agent.bundle(`^${root}`, 'dbox');
    await repositories.receive({
      project: 'blog',
      bundlePath: mainBundle,
      starts: [root],
      taskId: 'main',
      attempt: calls + 1,
    });
    agent.commit({ [`file-${calls}`]: 'x' }, root);
    const steps: Steps = { project: 'blog', main, bundlePath: agent.bundle(`^${root}`, 'dbox'), taskId };

    writeFileSync(left, String(calls));
    const program = join(import.meta.dirname, 'testing/killed-steps.ts');
    const child = spawn(process.execPath, [program, workspace, git, JSON.stringify(steps)], {
      stdio: 'ignore',
    });
    const [code, signal] = await once(child, 'exit');
    const again = await takeSteps(workspace, 'git', steps);
    assert.equal(again.main, again.merged);
    assert.equal(readFileSync(join(workspace, 'tasks', taskId, 'src/main.txt'), 'utf8'), `${calls}`);
    assert.deepEqual(readdirSync(join(workspace, 'tasks', taskId)).sort(), [`.src-${again.merged}`, 'src']);
    if (signal === null) {
      assert.equal(code, 0);
      break;
    }
    killed++;
  }
  assert.ok(killed > 10, String(killed));
  const gitDir = join(workspace, 'projects/blog.git');
  runPlainGit(gitDir, ['fsck', '--full', '--strict']);
  assert.deepEqual(
    readdirSync(gitDir, { recursive: true }).filter((name) => String(name).endsWith('.lock')),
    [],
  );
});
