import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { judgeDockerfile } from './judge-dockerfile.ts';

async function treeWith(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const tree = await mkdtemp(join(tmpdir(), 'judge-'));
  t.after(() => rm(tree, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(tree, path, '..'), { recursive: true });
    if (text.startsWith('-> ')) await symlink(text.slice(3), join(tree, path));
    else await writeFile(join(tree, path), text);
  }
  return tree;
}

const judge = (tree: string, dockerfile: string, own: { path: string; content: string }[] = []) =>
  judgeDockerfile({
    context: { tree, under: '', ignores: () => false, own },
    dockerfile,
    shownAs: 'deploy/app.Dockerfile',
    args: {},
    target: null,
    boxName: 'mybox',
  });

test('what is built is what was read, wherever links lead', async (t) => {
  const tree = await treeWith(t, {
    good: 'FROM node:24\n',
    linked: '-> good',
    outside: '-> /etc/passwd',
    bad: 'FROM node:24\nRUN --network=host x\n',
  });
  assert.equal(await judge(tree, 'good'), null);
  assert.equal(await judge(tree, 'linked'), null);
  for (const path of ['outside', 'none', '.', '../x']) {
    assert.match((await judge(tree, path))!.detail, /there is no file deploy\/app\.Dockerfile/, path);
  }
  assert.match((await judge(tree, 'bad'))!.detail, /^deploy\/app\.Dockerfile cannot be built here: .*:2:1: /);
});

test('a file of the commit cannot take the place of the one that was read', async (t) => {
  const tree = await treeWith(t, { '.dbox.Dockerfile': 'FROM mybox/secret\n' });
  const own = [{ path: '.dbox.Dockerfile', content: 'FROM node:24\n' }];
  assert.match((await judge(tree, '.dbox.Dockerfile', own))!.detail, /a name of the box's own/);
  const clean = await treeWith(t, { Dockerfile: 'FROM node:24\n' });
  assert.equal(await judge(clean, '.dbox.Dockerfile', own), null);
});
