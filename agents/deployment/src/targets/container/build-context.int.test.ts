import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ContextRefused, openBuildContext } from './build-context.ts';

async function treeOf(t: TestContext): Promise<string> {
  const tree = await mkdtemp(join(tmpdir(), 'context-'));
  t.after(() => rm(tree, { recursive: true, force: true }));
  return tree;
}

async function listed(tree: string, ignores: (path: string) => boolean = () => false) {
  const { archive, leftOut } = await openBuildContext({
    tree,
    under: 'app',
    ignores,
    own: [{ path: 'Dockerfile', content: 'FROM x\n' }],
  });
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  const list = execFileSync('tar', ['-tf', '-'], { input: Buffer.concat(chunks) }).toString();
  return { paths: list.trim().split('\n'), leftOut };
}

test('the tree is sent beside what the box adds, without its repository and without links that lead out', async (t) => {
  const tree = await treeOf(t);
  await mkdir(join(tree, '.git'));
  await writeFile(join(tree, '.git/config'), 'x');
  await mkdir(join(tree, 'src'));
  await writeFile(join(tree, 'src/a.js'), 'a');
  await symlink('a.js', join(tree, 'src/b.js'));
  await symlink('/etc/passwd', join(tree, 'src/c.js'));
  await symlink('../../x', join(tree, 'src/d.js'));
  const { paths, leftOut } = await listed(tree);
  assert.deepEqual(paths, ['Dockerfile', 'app/', 'app/src/', 'app/src/a.js', 'app/src/b.js']);
  assert.deepEqual(leftOut, ['src/c.js', 'src/d.js']);
});

test('a tree that is too big is refused before anything is sent', async (t) => {
  const tree = await treeOf(t);
  await writeFile(join(tree, 'big'), Buffer.alloc(2 * 1024 * 1024));
  const opened = openBuildContext({
    tree,
    under: '',
    ignores: () => false,
    own: [],
    maxTotalBytes: 1024 * 1024,
  });
  await assert.rejects(opened, (error) => {
    return error instanceof ContextRefused && /2 MB together; 1 MB can be built/.test(error.message);
  });
});

test('an exception below an ignored directory is sent', async (t) => {
  const tree = await treeOf(t);
  await mkdir(join(tree, 'dist'));
  await writeFile(join(tree, 'dist/keep'), '');
  await writeFile(join(tree, 'dist/drop'), '');
  const { paths } = await listed(tree, (path) => path.startsWith('dist') && path !== 'dist/keep');
  assert.deepEqual(paths.slice(2), ['app/dist/keep']);
});
