import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ProblemError } from '@dbox/contracts';
import { createGitRepositories } from './git-repositories.ts';
import { newDirectory, runPlainGit, scratchRepository } from './testing/scratch-repository.ts';

const PROJECT = 'blog';

async function boxWith(t: TestContext) {
  const workspace = newDirectory(t);
  const repositories = createGitRepositories({ workspace });
  const root = await repositories.create(PROJECT);
  const agent = scratchRepository(t);
  const source = await repositories.bundle({ project: PROJECT, commit: root, have: null });
  agent.fetch(source.path);
  await source.dispose();
  const gitDir = join(workspace, 'projects', `${PROJECT}.git`);
  /** Sends the agent's branch as attempt `attempt` of `taskId`. */
  const send = (bundlePath: string, more: { taskId?: string; attempt?: number; starts?: string[] } = {}) =>
    repositories.receive({
      project: PROJECT,
      bundlePath,
      starts: more.starts ?? [root],
      taskId: more.taskId ?? 'task-001',
      attempt: more.attempt ?? 1,
    });
  return { workspace, repositories, root, agent, gitDir, send };
}

function refsOf(gitDir: string): string[] {
  const text = runPlainGit(gitDir, ['for-each-ref', '--format=%(refname) %(objectname)']);
  return text.split('\n').filter((line) => line !== '');
}

test('a project begins with the same empty root commit everywhere, however often it is created', async (t) => {
  const one = await boxWith(t);
  const other = await boxWith(t);
  assert.equal(one.root, other.root);
  assert.equal(await one.repositories.create(PROJECT), one.root);
  const atOnce = await Promise.all([1, 2, 3].map(() => one.repositories.create('shop')));
  assert.deepEqual(new Set(atOnce), new Set([one.root]));
  assert.deepEqual(await one.repositories.listFiles({ project: PROJECT, commit: one.root }), []);
  assert.deepEqual(readdirSync(join(one.workspace, 'projects')).sort(), ['.new', 'blog.git', 'shop.git']);
});

test('an attempt is taken in, kept under its own ref, and read back', async (t) => {
  const { repositories, root, agent, gitDir, send } = await boxWith(t);
  const commit = agent.commit({ 'index.html': '<h1>Hi</h1>\n', 'a/b.txt': 'b' }, root);
  const bundle = agent.bundle(`^${root}`, 'dbox');
  assert.equal(await send(bundle), commit);
  assert.equal(await send(bundle), commit, 'a repeat is the same');
  const taskHex = Buffer.from('task-001').toString('hex');
  assert.ok(refsOf(gitDir).includes(`refs/dbox/attempts/${taskHex}/1/${commit} ${commit}`));
  assert.deepEqual(await repositories.listFiles({ project: PROJECT, commit }), ['a/b.txt', 'index.html']);
  const read = (path: string) => repositories.readFile({ project: PROJECT, commit, path });
  assert.equal(await read('index.html'), '<h1>Hi</h1>\n');
  for (const path of ['a', 'a/', '/index.html', '', 'none', '*.html', '../blog.git/HEAD', ':(glob)**']) {
    assert.equal(await read(path), null, path);
  }
  assert.equal(existsSync(join(gitDir, 'dbox-tmp')) && readdirSync(join(gitDir, 'dbox-tmp')).length, 0);
});

test('an attempt may descend from any one of its starts, and from nothing else', async (t) => {
  const { root, agent, gitDir, send } = await boxWith(t);
  const first = agent.commit({ a: '1' }, root);
  await send(agent.bundle());
  const second = agent.commit({ a: '2' }, first);
  const beside = agent.commit({ a: '3' }, root);
  const before = refsOf(gitDir);
  await assert.rejects(send(agent.bundle(), { starts: [first] }), {
    name: 'BundleRefusedError',
    message: /descend/,
  });
  assert.deepEqual(refsOf(gitDir), before);
  assert.equal(await send(agent.bundle(), { starts: [first, root] }), beside);
  agent.git('update-ref', 'refs/heads/dbox', second);
  assert.equal(await send(agent.bundle(), { starts: [first] }), second);
});

test('what is no whole bundle leaves nothing behind', async (t) => {
  const { root, agent, gitDir, send } = await boxWith(t);
  agent.commit({ 'a.txt': 'hello '.repeat(5_000), 'b.txt': String(Math.PI) }, root);
  const whole = readFileSync(agent.bundle());
  const objects = () => readdirSync(join(gitDir, 'objects', 'pack'));
  const before = { refs: refsOf(gitDir), objects: objects() };
  const cases: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    'no bundle': Buffer.from('<html>\n\n'),
    'header only': whole.subarray(0, whole.indexOf('\n\n') + 2),
    truncated: whole.subarray(0, whole.length - 30),
    flipped: Buffer.from(whole).fill(whole[whole.length - 60]! ^ 255, whole.length - 60, whole.length - 59),
    'endless header': Buffer.concat([Buffer.from('# v2 git bundle\n'), Buffer.alloc(2_000_000, 'x')]),
    'a filter': Buffer.from(`# v3 git bundle\n@filter=blob:none\n${'0'.repeat(40)} refs/heads/dbox\n\n`),
    'an option as a ref': Buffer.from('# v2 git bundle\n--upload-pack=x refs/heads/dbox\n\n'),
    'a ref that names nothing': Buffer.concat([
      Buffer.from(`# v2 git bundle\n${'1'.repeat(40)} refs/heads/dbox\n\n`),
      whole.subarray(whole.indexOf('\n\n') + 2),
    ]),
  };
  const file = join(agent.directory, '.git', 'hostile.bundle');
  for (const [name, bytes] of Object.entries(cases)) {
    await writeFile(file, bytes);
    await assert.rejects(send(file), { name: 'BundleRefusedError' }, name);
  }
  agent.git('branch', 'other');
  await assert.rejects(send(agent.bundle('other')), {
    name: 'BundleRefusedError',
    message: /refs\/heads\/dbox/,
  });
  assert.deepEqual({ refs: refsOf(gitDir), objects: objects() }, before);
  assert.deepEqual(readdirSync(join(gitDir, 'dbox-tmp')), []);
});

test('a bundle on top of commits that the box lacks is refused', async (t) => {
  const { root, agent, gitDir, send } = await boxWith(t);
  const unknown = agent.commit({ a: '1' }, root);
  agent.commit({ a: '2' }, unknown);
  const before = refsOf(gitDir);
  await assert.rejects(send(agent.bundle(`^${unknown}`, 'dbox')), { name: 'BundleRefusedError' });
  assert.deepEqual(refsOf(gitDir), before);
});

test('a tree that could leave its directory, or bring in another repository, is refused', async (t) => {
  const { root, agent, gitDir, send } = await boxWith(t);
  const file = agent.blob('x');
  const link = (target: string) => agent.blob(target);
  const treeOf = (name: string, mode: string, object: string) =>
    agent.git('rev-parse', `${agent.commitRawTree([{ mode, name, object }], root)}^{tree}`);
  const before = refsOf(gitDir);
  const cases: Record<string, { mode: string; name: string; object: string }> = {
    gitlink: { mode: '160000', name: 'sub', object: root },
    'absolute link': { mode: '120000', name: 'l', object: link('/etc/passwd') },
    'link out of the root': { mode: '120000', name: 'l', object: link('../secret') },
    'link out of a directory': {
      mode: '40000',
      name: 'd',
      object: treeOf('l', '120000', link('../../secret')),
    },
    'link through a name': { mode: '120000', name: 'l', object: link('a/../../secret') },
    'a .git directory': { mode: '40000', name: '.git', object: treeOf('hooks', '100755', file) },
    'a .GIT file': { mode: '100644', name: '.GIT', object: file },
    'a name that is ..': { mode: '40000', name: '..', object: treeOf('x', '100644', file) },
    'a name with a slash': { mode: '100644', name: '../x', object: file },
    'a name that is no UTF-8': { mode: '100644', name: 'caf\xe9', object: file },
    'a very long name': { mode: '100644', name: 'n'.repeat(300), object: file },
  };
  for (const [what, entry] of Object.entries(cases)) {
    agent.commitRawTree([entry], root);
    await assert.rejects(send(agent.bundle()), { name: 'BundleRefusedError' }, what);
  }
  assert.deepEqual(refsOf(gitDir), before);
  const good = agent.commitRawTree([{ mode: '120000', name: 'l', object: link('d/x') }], root);
  assert.equal(await send(agent.bundle()), good);
});

test('a file over its size is refused, however small it was packed', async (t) => {
  const { root, agent, gitDir, send } = await boxWith(t);
  const zeros = Buffer.alloc(64 * 1024 * 1024 + 1);
  const object = runPlainGit(agent.directory, ['hash-object', '-w', '--stdin'], zeros);
  agent.commitRawTree([{ mode: '100644', name: 'bomb', object }], root);
  const bundle = agent.bundle();
  assert.ok(statSync(bundle).size < 1_000_000);
  const before = refsOf(gitDir);
  await assert.rejects(send(bundle), { name: 'BundleRefusedError', message: /bomb.*larger/ });
  assert.deepEqual(refsOf(gitDir), before);
});

test('a tree of trees that holds a file a billion times is refused at once', async (t) => {
  const { root, agent, send } = await boxWith(t);
  let inner = { mode: '100644', object: agent.blob('x') };
  for (let level = 0; level < 10; level++) {
    const names = '0123456789'.split('');
    const commit = agent.commitRawTree(
      names.map((name) => ({ ...inner, name })),
      root,
    );
    inner = { mode: '40000', object: agent.git('rev-parse', `${commit}^{tree}`) };
  }
  await assert.rejects(send(agent.bundle()), { name: 'BundleRefusedError', message: /more than/ });
});

test('attempts of different tasks that arrive at once are all taken in', async (t) => {
  const { repositories, root, agent, send } = await boxWith(t);
  const sent: { taskId: string; bundle: string; commit: string }[] = [];
  for (let n = 0; n < 6; n++) {
    const commit = agent.commit({ [`file-${n}`]: `${n}` }, root);
    sent.push({ taskId: `task-${n}`, bundle: agent.bundle(`^${root}`, 'dbox'), commit });
  }
  const received = await Promise.all(sent.map(({ bundle, taskId }) => send(bundle, { taskId })));
  assert.deepEqual(
    received,
    sent.map(({ commit }) => commit),
  );
  for (const [n, commit] of received.entries()) {
    assert.equal(await repositories.readFile({ project: PROJECT, commit, path: `file-${n}` }), `${n}`);
  }
});

test('a merge has the same hash each time, and main and attempt as its parents', async (t) => {
  const one = await boxWith(t);
  const base = one.agent.commit({ a: '1\n', b: '1\n' }, one.root);
  const main = one.agent.commit({ a: '2\n' }, base);
  await one.send(one.agent.bundle(), { taskId: 'x' });
  const attempt = one.agent.commit({ b: '2\n' }, base);
  await one.send(one.agent.bundle(), { taskId: 'y' });
  const merge = () =>
    one.repositories.merge({ project: PROJECT, main, attempt, message: 'y: do\n\nDbox-Task: y' });
  const first = await merge();
  assert.equal(first.outcome, 'merged');
  assert.deepEqual(await merge(), first);
  assert.ok(first.outcome === 'merged');
  const { commit } = first;
  assert.equal(
    runPlainGit(one.gitDir, ['show', '-s', '--format=%P|%an|%ae|%s', commit]),
    `${main} ${attempt}|Developer in a Box|dbox@localhost|y: do`,
  );
  assert.ok(refsOf(one.gitDir).includes(`refs/dbox/candidates/${commit} ${commit}`));
  assert.equal(await one.repositories.readFile({ project: PROJECT, commit, path: 'a' }), '2\n');
  assert.equal(await one.repositories.readFile({ project: PROJECT, commit, path: 'b' }), '2\n');
});

test('a conflict names its files and leaves no ref', async (t) => {
  const { repositories, root, agent, gitDir, send } = await boxWith(t);
  const main = agent.commit({ 'same.txt': 'one\n', 'mine.txt': '1\n' }, root);
  await send(agent.bundle(), { taskId: 'x' });
  const attempt = agent.commit({ 'same.txt': 'two\n' }, root);
  await send(agent.bundle(), { taskId: 'y' });
  const before = refsOf(gitDir);
  const outcome = await repositories.merge({ project: PROJECT, main, attempt, message: 'm' });
  assert.deepEqual(outcome, { outcome: 'conflict', files: ['same.txt'] });
  assert.deepEqual(refsOf(gitDir), before);
});

test('a merge driver that the repository asks for is not used', async (t) => {
  const { repositories, root, agent, send } = await boxWith(t);
  const base = agent.commit({ '.gitattributes': '* merge=union\n', f: 'base\n' }, root);
  const main = agent.commit({ f: 'one\n' }, base);
  await send(agent.bundle(), { taskId: 'x' });
  const attempt = agent.commit({ f: 'two\n' }, base);
  await send(agent.bundle(), { taskId: 'y' });
  const outcome = await repositories.merge({ project: PROJECT, main, attempt, message: 'm' });
  assert.equal(outcome.outcome, 'conflict');
});

test('a merge that would make a link leave the tree is a conflict', async (t) => {
  const { repositories, root, agent, send } = await boxWith(t);
  // One side moves the link up, the other lets it point further up: each is right by itself.
  const base = agent.commit({ 'a/b/l': { link: '../top' } }, root);
  const main = agent.commit({ 'a/b/l': { link: '../../top' } }, base);
  await send(agent.bundle(), { taskId: 'x' });
  const attempt = agent.commit({ 'a/b/l': null, 'c/l': { link: '../top' } }, base);
  await send(agent.bundle(), { taskId: 'y' });
  const outcome = await repositories.merge({ project: PROJECT, main, attempt, message: 'm' });
  assert.deepEqual(outcome, { outcome: 'conflict', files: ['c/l'] });
});

test('where one side holds the other already, the merge is that side', async (t) => {
  const { repositories, root, agent, send } = await boxWith(t);
  const newer = agent.commit({ a: '1' }, root);
  await send(agent.bundle());
  const merge = (main: string, attempt: string) =>
    repositories.merge({ project: PROJECT, main, attempt, message: 'm' });
  assert.deepEqual(await merge(root, newer), { outcome: 'merged', commit: newer });
  assert.deepEqual(await merge(newer, root), { outcome: 'merged', commit: newer });
});

test('a commit with an earlier tree has the same hash each time', async (t) => {
  const { repositories, root, agent, send } = await boxWith(t);
  const good = agent.commit({ a: 'good' }, root);
  const bad = agent.commit({ a: 'bad' }, good);
  await send(agent.bundle());
  const back = () =>
    repositories.commitTreeOf({
      project: PROJECT,
      treeOf: good,
      parent: bad,
      message: 'Roll back\0\n',
      at: '2026-01-02T03:04:05.678Z',
    });
  const commit = await back();
  assert.equal(await back(), commit);
  assert.equal(await repositories.sameTree({ project: PROJECT, a: commit, b: good }), true);
  assert.equal(await repositories.sameTree({ project: PROJECT, a: commit, b: bad }), false);
  assert.equal(await repositories.isAncestor({ project: PROJECT, ancestor: bad, descendant: commit }), true);
  assert.equal(await repositories.isAncestor({ project: PROJECT, ancestor: commit, descendant: bad }), false);
});

test('main is where it was set last, also past a lock that a machine left behind when it went down', async (t) => {
  const { repositories, root, agent, gitDir, send } = await boxWith(t);
  assert.equal(await repositories.readMain(PROJECT), null);
  await repositories.setMain(PROJECT, root);
  const commit = agent.commit({ a: '1' }, root);
  await send(agent.bundle());
  await repositories.setMain(PROJECT, commit);
  await repositories.setMain(PROJECT, commit);
  assert.equal(await repositories.readMain(PROJECT), commit);
  const lock = join(gitDir, 'refs/heads/main.lock');
  await writeFile(lock, '');
  await utimes(lock, 1, 1);
  await repositories.setMain(PROJECT, root);
  assert.equal(await repositories.readMain(PROJECT), root);
});

test('a bundle holds what is asked for: all of it, or what is new since a commit the other side has', async (t) => {
  const { repositories, root, agent, gitDir, send } = await boxWith(t);
  const first = agent.commit({ big: 'x'.repeat(100) + Math.PI }, root);
  const second = agent.commit({ small: '2' }, first);
  await send(agent.bundle());
  const other = scratchRepository(t);
  const bundle = (commit: string, have: string | null) =>
    repositories.bundle({ project: PROJECT, commit, have });
  const whole = await bundle(first, 'f'.repeat(40));
  assert.equal(whole.sizeBytes, statSync(whole.path).size);
  assert.equal(other.fetch(whole.path), first);
  const rest = await bundle(second, first);
  assert.equal(other.fetch(rest.path), second);
  assert.equal(
    runPlainGit(other.directory, ['bundle', 'list-heads', rest.path]),
    `${second} refs/heads/dbox`,
  );
  const nothingNew = await bundle(first, second);
  assert.equal(other.fetch(nothingNew.path), first);
  for (const made of [whole, rest, nothingNew]) {
    await made.dispose();
    await made.dispose();
  }
  assert.deepEqual(readdirSync(join(gitDir, 'dbox-tmp')), []);
});

test('a bundle brings main along where it is asked for, though the commit does not descend from it', async (t) => {
  const { repositories, root, agent, send } = await boxWith(t);
  const attempt = agent.commit({ 'a.txt': 'a' }, root);
  await send(agent.bundle());
  const main = agent.commit({ 'b.txt': 'b' }, root);
  await send(agent.bundle(), { attempt: 2 });
  const bundle = await repositories.bundle({ project: PROJECT, commit: attempt, main, have: null });
  const heads = runPlainGit(process.cwd(), ['bundle', 'list-heads', bundle.path]);
  assert.match(heads, new RegExp(`${attempt} refs/heads/dbox`));
  assert.match(heads, new RegExp(`${main} refs/heads/main`));
  const other = scratchRepository(t);
  other.fetch(bundle.path);
  await bundle.dispose();
});

test('a diff shows what changed, from nothing or from a commit, and is cut at 1 MiB', async (t) => {
  const { repositories, root, agent, send } = await boxWith(t);
  const first = agent.commit({ 'a.txt': 'one\n', '.gitattributes': '*.txt diff=evil -diff\n' }, root);
  const second = agent.commit({ 'a.txt': 'two\n' }, first);
  const third = agent.commit({ big: 'line\n'.repeat(400_000) }, second);
  await send(agent.bundle());
  const diff = (from: string | null, to: string) => repositories.diff({ project: PROJECT, from, to });
  assert.match(await diff(null, first), /\+one/);
  assert.match(await diff(first, second), /-one\n\+two/);
  const cut = await diff(second, third);
  assert.ok(cut.length <= 1024 * 1024 + 200, String(cut.length));
  assert.match(cut, /\n… cut here: .*\n$/);
});

test('a commit is laid out byte for byte, whatever its attributes ask for', async (t) => {
  const { workspace, repositories, root, agent, send } = await boxWith(t);
  const text = 'keyword $Id$ and $Format:%H$\nsecond line\n';
  agent.commit({ l: { link: 'sub/d.txt' } }, root);
  const files = {
    '.gitattributes':
      '* text eol=crlf\n*.id ident export-subst filter=evil\n*.enc working-tree-encoding=UTF-16\nsecret export-ignore\n',
    'sub/.gitattributes': '* filter=lfs ident\n',
    'a.txt': text,
    'b.id': text,
    'c.enc': text,
    'sub/d.txt': text,
    secret: 'x',
  };
  const commit = agent.commitBlobs(files);
  await send(agent.bundle());
  const layOut = () => repositories.layOut({ project: PROJECT, commit, taskId: 'task-001' });
  await layOut();
  await layOut();
  const room = join(workspace, 'tasks/task-001');
  for (const [path, content] of Object.entries(files)) {
    assert.equal(readFileSync(join(room, 'src', path), 'utf8'), content, path);
  }
  assert.equal(readlinkSync(join(room, 'src', 'l')), 'sub/d.txt');
  assert.deepEqual(readdirSync(room).sort(), [`.src-${commit}`, 'src']);
});

test('a new layout takes the place of the old one, and of what a killed one left', async (t) => {
  const { workspace, repositories, root, agent, send } = await boxWith(t);
  const first = agent.commit({ a: '1' }, root);
  const second = agent.commit({ a: '2' }, first);
  await send(agent.bundle());
  const room = join(workspace, 'tasks/task-001');
  await mkdir(join(room, '.new-left-behind'), { recursive: true });
  await writeFile(join(room, 'spec.yaml'), 'id: x\n');
  const layOut = (commit: string) => repositories.layOut({ project: PROJECT, commit, taskId: 'task-001' });
  await layOut(first);
  await Promise.all([layOut(first), layOut(second), layOut(first), layOut(second)]);
  await layOut(second);
  assert.equal(readFileSync(join(room, 'src/a'), 'utf8'), '2');
  assert.deepEqual((await readdir(room)).sort(), [`.src-${second}`, 'spec.yaml', 'src']);
});

test('an existing repository comes in by its HEAD, or by its only branch', async (t) => {
  const { repositories, agent, gitDir } = await boxWith(t);
  const tip = agent.commit({ 'package.json': '{}' }, null);
  const older = agent.bundle('dbox');
  assert.equal(await repositories.importBundle(PROJECT, older), tip);
  agent.git('branch', 'other', 'dbox');
  await assert.rejects(repositories.importBundle(PROJECT, agent.bundle('dbox', 'other')), {
    name: 'BundleRefusedError',
    message: /2 branches/,
  });
  assert.equal(await repositories.importBundle(PROJECT, agent.bundle('HEAD', 'other')), tip);
  assert.ok(refsOf(gitDir).includes(`refs/dbox/candidates/${tip} ${tip}`));
  const next = agent.commit({ x: '1' }, tip);
  const thin = agent.bundle(`^${tip}`, 'dbox');
  await assert.rejects(repositories.importBundle(PROJECT, thin), {
    name: 'BundleRefusedError',
    message: /not complete/,
  });
  assert.ok(!refsOf(gitDir).some((line) => line.includes(next)));
});

test('a removed project is put aside whole, twice if need be, and its name can begin anew', async (t) => {
  const { workspace, repositories, root, agent, send } = await boxWith(t);
  const commit = agent.commit({ a: '1' }, root);
  await send(agent.bundle());
  await repositories.remove(PROJECT, '2026-01-02T03-04-05-678Z');
  await repositories.remove(PROJECT, '2026-01-02T03-04-05-678Z');
  const isNotFound = (error: unknown) => error instanceof ProblemError && error.code === 'not_found';
  await assert.rejects(repositories.readMain(PROJECT), isNotFound);
  const aside = join(workspace, 'removed', `${PROJECT}-2026-01-02T03-04-05-678Z.git`);
  assert.equal(runPlainGit(aside, ['cat-file', '-t', commit]), 'commit');
  assert.equal(await repositories.create(PROJECT), root);
  await repositories.remove(PROJECT, '2026-01-02T03-04-05-678Z');
  assert.equal((await readdir(join(workspace, 'removed'))).length, 2);
});

test('many small packs are put together, and nothing is lost', async (t) => {
  const { root, agent, gitDir, send } = await boxWith(t);
  const objects = Array.from({ length: 50 }, (_, n) => {
    const object = runPlainGit(gitDir, ['hash-object', '-w', '--stdin'], `${n}`);
    runPlainGit(gitDir, ['pack-objects', '--quiet', 'objects/pack/pack'], `${object}\n`);
    return object;
  });
  const packs = () =>
    readdirSync(join(gitDir, 'objects/pack')).filter((name) => name.endsWith('.pack')).length;
  assert.equal(packs(), 50);
  agent.commit({ f: 'x' }, root);
  const commit = await send(agent.bundle());
  assert.ok(packs() < 10, String(packs()));
  assert.ok(refsOf(gitDir).some((line) => line.endsWith(commit)));
  for (const object of objects) runPlainGit(gitDir, ['cat-file', '-e', object]);
  runPlainGit(gitDir, ['fsck', '--full', '--strict']);
});

test('names and ids that are none are refused before git sees them', async (t) => {
  const { repositories, root } = await boxWith(t);
  await assert.rejects(repositories.create('../x'), /no project name/);
  await assert.rejects(repositories.readMain('--all'), /no project name/);
  await assert.rejects(repositories.setMain(PROJECT, '--stdin'), /no commit/);
  await assert.rejects(
    repositories.diff({ project: PROJECT, from: '--output=/tmp/x', to: root }),
    /no commit/,
  );
  await assert.rejects(repositories.listFiles({ project: PROJECT, commit: 'HEAD' }), /no commit/);
  await assert.rejects(repositories.layOut({ project: PROJECT, commit: root, taskId: '..' }), /no task id/);
});
