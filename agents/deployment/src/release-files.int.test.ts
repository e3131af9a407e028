import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { endRecorded, readStartedTick } from './recorded-process.ts';
import { createReleaseFiles } from './release-files.ts';

const RELEASE = 'rel_0000000001';
const [ONE, TWO] = ['1'.repeat(40), '2'.repeat(40)];

async function open(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), 'files-'));
  t.after(() => rm(dir, { recursive: true }));
  const files = createReleaseFiles(join(dir, 'state'));
  const layOut = async () => {
    const tree = join(dir, 'src');
    await mkdir(tree);
    await writeFile(join(tree, 'a'), 'a');
    return tree;
  };
  return { dir, files, layOut };
}

test('a tree counts as built only for its own commit, and only until another is laid out', async (t) => {
  const { files, layOut } = await open(t);
  await files.adopt(RELEASE, await layOut());
  assert.equal(await files.isBuilt(RELEASE, ONE), false);
  await files.markBuilt(RELEASE, ONE);
  assert.equal(await files.isBuilt(RELEASE, ONE), true);
  assert.equal(await files.isBuilt(RELEASE, TWO), false);
  await files.adopt(RELEASE, await layOut());
  assert.equal(await files.isBuilt(RELEASE, ONE), false);
});

test('a record of what was built is worth nothing without the tree', async (t) => {
  const { files, layOut } = await open(t);
  await files.adopt(RELEASE, await layOut());
  await files.markBuilt(RELEASE, ONE);
  await rm(files.treeOf(RELEASE), { recursive: true });
  assert.equal(await files.isBuilt(RELEASE, ONE), false);
});

test('a process record that a crash left half-written is none', async (t) => {
  const { files, dir } = await open(t);
  await files.writeProcess(RELEASE, { marker: 'm', pid: 1, startedTick: 'x' });
  assert.equal((await files.readProcess(RELEASE))?.pid, 1);
  await writeFile(join(dir, 'state/releases', RELEASE, 'process.json'), '{"marker":');
  assert.equal(await files.readProcess(RELEASE), null);
});

test('an id that is no release id touches no file', async (t) => {
  const { files } = await open(t);
  assert.throws(() => files.remove('../..'), /no release id/);
  assert.throws(() => files.treeOf(''), /no release id/);
});

const isLinux = process.platform === 'linux';
test('a recorded process is ended, a later one with the same id is not', {
  skip: isLinux ? false : 'needs /proc',
}, async (t) => {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const pid = child.pid!;
  const startedTick = await readStartedTick(pid);
  assert.ok(startedTick);
  await endRecorded({ marker: 'm', pid, startedTick: `${startedTick}0` });
  assert.equal(await readStartedTick(pid), startedTick);
  await endRecorded({ marker: 'm', pid, startedTick });
  assert.deepEqual(await exited, [null, 'SIGKILL']);
});
