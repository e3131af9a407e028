import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ArchiveRefusedError } from './archive-refused.ts';
import type { Opening } from './manifest.ts';
import { readArchive } from './read-archive.ts';
import { END_OF_TAR, encodeHead, padding } from './tar-head.ts';
import { type ArchivePart, writeArchive } from './write-archive.ts';

const OPENING: Opening = {
  format: 1,
  boxVersion: '0.1.0',
  createdAt: '2026-01-02T03:04:05.000Z',
  store: 'sqlite',
  schema: ['0001-initial'],
  ledger: { seq: 7, hash: 'a'.repeat(64) },
};
const LONG = `${'deep/'.repeat(60)}ünïcode\nname.txt`;

function file(name: string, content: string): ArchivePart {
  const bytes = Buffer.from(content);
  return { name, sizeBytes: bytes.length, body: [bytes] };
}

const PARTS: readonly ArchivePart[] = [
  file('store/stories/000001.ndjson', '{"id":"st_1"}\n'),
  { name: 'data/blog/dev/empty', type: 'directory', sizeBytes: 0, body: [] },
  file('data/blog/dev/nothing', ''),
  file(LONG, 'x'.repeat(2000)),
];

async function write(parts: readonly ArchivePart[] = PARTS, opening = OPENING): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of writeArchive({
    opening,
    parts: (async function* () {
      yield* parts;
    })(),
    close: () => ({
      counts: { tables: { stories: 1 }, repositories: 0, artifacts: 0 },
      data: 'included',
      missing: { commits: [], artifacts: [] },
      skipped: [],
    }),
  })) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** In chunks of an odd size, as a network gives them. */
async function* cutUp(bytes: Buffer, size = 333): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function contentOf(bytes: Buffer) {
  const seen: Record<string, string> = {};
  const manifest = await readArchive(cutUp(bytes), {
    async entry({ name, type, mode, body }) {
      let text = mode.toString(8);
      for await (const chunk of body) text += chunk.toString();
      seen[name] = type === 'file' ? text : type;
    },
  });
  return { seen, manifest };
}

async function refusal(bytes: Buffer): Promise<string> {
  const error = await readArchive(cutUp(bytes)).then(
    () => assert.fail('the archive was accepted'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ArchiveRefusedError, String(error));
  return error.message;
}

test('what is written is read again, name by name and byte by byte', async () => {
  const { seen, manifest } = await contentOf(await write());
  assert.deepEqual(seen, {
    'store/stories/000001.ndjson': '600{"id":"st_1"}\n',
    'data/blog/dev/empty': 'directory',
    'data/blog/dev/nothing': '600',
    [LONG]: `600${'x'.repeat(2000)}`,
  });
  assert.deepEqual(manifest.ledger, OPENING.ledger);
  assert.equal(manifest.counts.entries, PARTS.length + 1);
});

test('a visitor may leave an entry after its first bytes', async () => {
  await readArchive(cutUp(await write(), 100), {
    async entry({ body }) {
      for await (const _ of body) break;
    },
  });
});

test('tar and sha256sum read it too', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'archive-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'a.tar'), await write());
  const run = (program: string, ...args: string[]) => {
    const { status, stderr, error } = spawnSync(program, args, { cwd: directory, encoding: 'utf8' });
    assert.equal(status, 0, `${program}: ${stderr}${error ?? ''}`);
  };
  run('tar', 'xf', 'a.tar');
  run('sha256sum', '--check', '--quiet', 'checksums.sha256');
  assert.equal(readFileSync(join(directory, LONG), 'utf8'), 'x'.repeat(2000));
});

test('an archive that breaks off is refused wherever it breaks', async () => {
  const whole = await write();
  for (let at = 0; at < whole.length; at += 173) await refusal(whole.subarray(0, at));
  await refusal(whole.subarray(0, whole.length - 1));
});

test('a flipped bit is found wherever it matters', async () => {
  const whole = await write();
  const before = await contentOf(whole);
  let harmless = 0;
  for (let at = 0; at < whole.length - END_OF_TAR.length; at += 61) {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= 0x10;
    const found = await contentOf(damaged).catch((error: unknown) => error);
    if (found instanceof ArchiveRefusedError) continue;
    // The fill behind a body, and a blank for a leading zero, are nobody's content.
    assert.deepEqual(found, before, `byte ${at} was changed unseen`);
    harmless += 1;
  }
  assert.ok(harmless < 100);
});

test('the damaged entry is named', async () => {
  const whole = await write();
  const at = whole.indexOf('xxxx');
  whole[at] = 0x79;
  assert.match(await refusal(whole), /the content of deep\/.*is not that of its checksum/s);
});

test('entries that are missing, added or twice are found', async () => {
  const other = await write([file('secrets/env.key', 'k')]);
  const foreign = await write();
  const manifestAt = foreign.lastIndexOf('manifest.json');
  const ends = other.lastIndexOf('manifest.json');
  assert.match(
    await refusal(Buffer.concat([other.subarray(0, ends), foreign.subarray(manifestAt)])),
    /not the one that the manifest names/,
  );
  assert.match(await refusal(await write([...PARTS, PARTS[0]!])), /twice/);
  assert.match(await refusal(await write([file('a', ''), file('a/b', '')])), /a file and a directory/);
  assert.match(await refusal(await write([file('a/b', ''), file('a', '')])), /a file and a directory/);
});

test('names that lead out of the place they are unpacked in are refused', async () => {
  for (const name of ['../x', '/etc/x', 'a/../../x', 'a//b', './x', 'a/.', 'x\0y', '']) {
    assert.match(
      await refusal(await write([file(name, '')])),
      /leads astray|with a NUL/,
      JSON.stringify(name),
    );
  }
});

test('links, devices and what else no backup holds are refused by kind', async () => {
  const kinds = { 1: /hard link/, 2: /symbolic link/, 3: /device/, 4: /device/, 6: /pipe/, g: /kind "g"/ };
  for (const [type, says] of Object.entries(kinds)) {
    const [opening] = await splitOpening();
    assert.match(await refusal(Buffer.concat([opening, retyped(type)])), says);
  }
});

test('a size that is only claimed costs nothing', async () => {
  const [opening] = await splitOpening();
  const huge = encodeHead({ name: 'data/x', type: 'file', sizeBytes: 2 ** 52, mode: 0, mtimeMs: 0 });
  assert.match(await refusal(Buffer.concat([opening, huge])), /breaks off/);
  const pax = Buffer.from(encodeHead({ name: LONG, type: 'file', sizeBytes: 0, mode: 0, mtimeMs: 0 }));
  pax.write('77777777777', 124, 'latin1');
  assert.match(await refusal(Buffer.concat([opening, rechecked(pax)])), /pax header of \d+ bytes/);
});

test('an end that does not end is given up, and so is what hides behind it', async () => {
  const whole = await write();
  let given = 0;
  async function* endless() {
    yield whole;
    for (;;) {
      given += 1;
      yield Buffer.alloc(64 * 1024);
    }
  }
  await assert.rejects(readArchive(endless()), /does not end/);
  assert.ok(given < 30);
  assert.match(await refusal(Buffer.concat([whole, Buffer.from('x')])), /something follows/);
  await readArchive(cutUp(Buffer.concat([whole, Buffer.alloc(10_240)])));
});

test('what is no backup, or one of a later format, is said to be that', async () => {
  assert.match(await refusal(Buffer.from('hello'.repeat(200))), /no tar archive/);
  assert.match(await refusal(Buffer.alloc(0)), /breaks off/);
  assert.match(await refusal(await write(PARTS, { ...OPENING, format: 2 })), /format 2/);
  const head = encodeHead({ name: 'readme', type: 'file', sizeBytes: 2, mode: 0, mtimeMs: 0 });
  const foreign = Buffer.concat([head, Buffer.from('hi'), padding(2), END_OF_TAR]);
  assert.match(await refusal(foreign), /no backup of a box/);
});

test('a part that is not as large as it said ends the archive without a manifest', async () => {
  const short: ArchivePart = { name: 'data/x', sizeBytes: 10, body: [Buffer.from('four')] };
  await assert.rejects(write([short]), /data\/x has not the 10 bytes/);
  await assert.rejects(write([{ ...short, sizeBytes: 2 }]), /data\/x has not the 2 bytes/);
});

async function splitOpening(): Promise<[Buffer]> {
  const whole = await write([]);
  return [whole.subarray(0, whole.indexOf('checksums.sha256'))];
}

function retyped(type: string): Buffer {
  const block = Buffer.from(encodeHead({ name: 'a', type: 'file', sizeBytes: 0, mode: 0, mtimeMs: 0 }));
  block.write(type, 156, 1, 'latin1');
  return rechecked(block);
}

function rechecked(block: Buffer): Buffer {
  block.fill(' ', 148, 156);
  const sum = block.subarray(0, 512).reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
