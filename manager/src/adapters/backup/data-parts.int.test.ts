import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Skipped, treeParts } from './data-parts.ts';

function newTree(t: TestContext): { root: string; outside: string } {
  const directory = mkdtempSync(join(tmpdir(), 'dbox-data-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [root, outside] = [join(directory, 'data'), join(directory, 'secrets')];
  mkdirSync(root);
  mkdirSync(outside);
  writeFileSync(join(outside, 'admin.token'), 'secret');
  return { root, outside };
}

async function contentOf(root: string, during?: (name: string) => void) {
  const skipped: Skipped[] = [];
  const files: Record<string, string> = {};
  for await (const part of treeParts(root, 'data', skipped)) {
    during?.(part.name);
    const chunks: Buffer[] = [];
    for await (const chunk of part.body) chunks.push(Buffer.from(chunk));
    const content = Buffer.concat(chunks);
    assert.equal(content.length, part.sizeBytes, part.name);
    files[part.name] = part.type === 'directory' ? 'directory' : content.toString();
  }
  return { files, skipped };
}

test('no link is followed, and what is no file is left out and said', async (t) => {
  const { root, outside } = newTree(t);
  writeFileSync(join(root, 'kept.txt'), 'kept');
  symlinkSync(join(outside, 'admin.token'), join(root, 'link.txt'));
  symlinkSync(outside, join(root, 'linked'));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  writeFileSync(Buffer.concat([Buffer.from(`${root}/bad-`), Buffer.from([0xff])]), 'x');
  const server = createServer().listen(join(root, 'socket'));
  await once(server, 'listening');
  t.after(() => server.close());
  const { files, skipped } = await contentOf(root);
  assert.deepEqual(files, { data: 'directory', 'data/kept.txt': 'kept' });
  assert.deepEqual(Object.fromEntries(skipped.map(({ name, reason }) => [name, reason])), {
    'data/link.txt': 'it is a symbolic link',
    'data/linked': 'it is a symbolic link',
    'data/pipe': 'it is neither a file nor a directory',
    'data/socket': 'it is a socket',
    'data/bad-\ufffd': 'its name is not UTF-8',
  });
});

test('a directory that a link takes the place of meanwhile leads nowhere else', async (t) => {
  const { root, outside } = newTree(t);
  mkdirSync(join(root, 'a'));
  writeFileSync(join(root, 'a', 'admin.token'), 'mine');
  const { files } = await contentOf(root, (name) => {
    if (name !== 'data/a') return;
    rmSync(join(root, 'a'), { recursive: true });
    symlinkSync(outside, join(root, 'a'));
  });
  assert.ok(!Object.values(files).includes('secret'), JSON.stringify(files));
});

test('a file that shrinks while it is copied keeps the size it was said to have', async (t) => {
  const { root } = newTree(t);
  const path = join(root, 'large.log');
  writeFileSync(path, Buffer.alloc(2_000_000, 'x'));
  const { files, skipped } = await contentOf(root, (name) => {
    if (name === 'data/large.log') truncateSync(path, 10);
  });
  assert.equal(files['data/large.log']!.length, 2_000_000);
  assert.match(skipped[0]!.reason, /shorter/);
});

test('a site without data has none', async (t) => {
  const { root } = newTree(t);
  assert.deepEqual(await contentOf(join(root, 'absent')), { files: {}, skipped: [] });
});
