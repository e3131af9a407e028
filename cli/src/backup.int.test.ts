import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { writeArchive } from '@dbox/archive';
import { startMain } from './testing/run-main.ts';

async function anArchive(): Promise<Buffer> {
  const body = Buffer.alloc(300_000, 'x');
  const chunks: Buffer[] = [];
  for await (const chunk of writeArchive({
    opening: {
      ...{ format: 1, boxVersion: '0.1.0', createdAt: '2026-01-01T00:00:00.000Z', store: 'sqlite' },
      ...{ schema: ['0001-initial'], ledger: { seq: 1, hash: '0'.repeat(64) } },
    },
    parts: (async function* () {
      yield { name: 'data/blog/dev/x', sizeBytes: body.length, body: [body] };
    })(),
    close: () => ({
      counts: { tables: {}, repositories: 2, artifacts: 1 },
      data: 'elsewhere',
      missing: { commits: [], artifacts: [] },
      skipped: [{ name: 'data/blog/dev/link', reason: 'it is a symbolic link' }],
    }),
  })) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A box that sends so much of an archive and then breaks off, or ends as if that were all. */
async function boxThatSends(t: TestContext, bytes: Buffer, end: 'whole' | 'cut'): Promise<string> {
  const server = createServer((request, response) => {
    assert.equal(request.url, '/v1/backup');
    response.writeHead(200, { 'content-type': 'application/x-tar' });
    response.write(bytes, () => (end === 'whole' ? response.end() : response.destroy()));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function newDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'dbox-cli-backup-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const run = (cwd: string, args: readonly string[], env: Record<string, string> = {}) =>
  startMain(args, { cwd, env: { DBOX_TOKEN: 'x', NO_COLOR: '1', ...env } }).ended;

test('a backup is written for its owner alone, checked, and says what is not in it', async (t) => {
  const [cwd, archive] = [newDirectory(t), await anArchive()];
  const host = await boxThatSends(t, archive, 'whole');
  const { exitCode, stdout, stderr } = await run(cwd, ['backup', 'box.tar', '--host', host]);
  assert.equal(exitCode, 0, stderr);
  assert.equal(stdout.trim(), join(cwd, 'box.tar'));
  assert.match(stderr, /2 repositories and 1 artifact .*keep it as safe/s);
  assert.match(stderr, /data of the sites is not in it.*link is not in it as it is: it is a symbolic link/s);
  assert.deepEqual(readFileSync(join(cwd, 'box.tar')), archive);
  assert.equal(statSync(join(cwd, 'box.tar')).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(cwd), ['box.tar']);
});

test('a stream that breaks off, or ends too early, leaves no file at all', async (t) => {
  const archive = await anArchive();
  const damaged = Buffer.from(archive);
  damaged[200_000] = 0x79;
  for (const [bytes, end, says] of [
    [archive.subarray(0, 150_000), 'cut', /broke off/],
    [archive.subarray(0, 150_000), 'whole', /broke off.*not whole/],
    [archive.subarray(0, archive.length - 1024), 'whole', /broke off/],
    [damaged, 'whole', /damaged/],
  ] as const) {
    const cwd = newDirectory(t);
    writeFileSync(join(cwd, 'box.tar.part'), 'left by one that was killed');
    const host = await boxThatSends(t, bytes, end);
    const { exitCode, stderr } = await run(cwd, ['backup', 'box.tar', '--host', host]);
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, says);
    assert.deepEqual(readdirSync(cwd), []);
  }
});

test('a file that is there is kept, and replaced with --force only once the new one is whole', async (t) => {
  const [cwd, archive] = [newDirectory(t), await anArchive()];
  const file = join(cwd, 'box.tar');
  writeFileSync(file, 'the one before');
  const whole = await boxThatSends(t, archive, 'whole');
  const kept = await run(cwd, ['backup', file, '--host', whole]);
  assert.deepEqual([kept.exitCode, readFileSync(file, 'utf8')], [2, 'the one before']);
  const cut = await boxThatSends(t, archive.subarray(0, 1000), 'cut');
  const failed = await run(cwd, ['backup', file, '--force', '--host', cut]);
  assert.deepEqual([failed.exitCode, readFileSync(file, 'utf8')], [1, 'the one before']);
  const done = await run(cwd, ['backup', file, '--force', '--host', whole, '--json']);
  assert.equal(done.exitCode, 0);
  assert.equal(JSON.parse(done.stdout).sizeBytes, archive.length);
  assert.deepEqual(readFileSync(file), archive);
});

test('a backup goes to standard output, where a broken one is an error', async (t) => {
  const [cwd, archive] = [newDirectory(t), await anArchive()];
  const whole = await run(cwd, ['backup', '-', '--host', await boxThatSends(t, archive, 'whole')]);
  assert.equal(whole.exitCode, 0, whole.stderr);
  const cut = await run(cwd, [
    'backup',
    '-',
    '--host',
    await boxThatSends(t, archive.subarray(0, 9000), 'whole'),
  ]);
  assert.equal(cut.exitCode, 1);
  assert.match(cut.stderr, /what was written is of no use/);
  assert.equal((await run(cwd, ['backup', '-', '--json'])).exitCode, 2);
});

test('what cannot be restored or moved is said in words, with exit code and next step', async (t) => {
  const cwd = newDirectory(t);
  const env = { DBOX_WORKSPACE: join(cwd, 'workspace') };
  const said = async (args: string[]) => {
    const { exitCode, stderr } = await run(cwd, args, env);
    return `${exitCode} ${stderr}`;
  };
  assert.match(await said(['backup', 'box.tar']), /^2 dbox: There is no box in .*`dbox up` makes one/);
  assert.equal(existsSync(join(cwd, 'box.tar')), false);
  assert.match(await said(['restore', 'absent.tar']), /^2 dbox: absent\.tar cannot be read/);
  assert.match(await said(['restore', 'x.tar', '--host', 'http://127.0.0.1:1']), /^2 .*another machine/);
  writeFileSync(join(cwd, 'x.tar'), 'no archive at all'.repeat(100));
  assert.match(await said(['restore', 'x.tar']), /^1 .*The archive is refused: this is no tar archive\./s);
  assert.match(await said(['migrate']), /^2 .*Say where to: --to postgres:/);
  assert.match(await said(['migrate', '--to', 'mysql://x']), /^2 .*no address of a Postgres/);
  assert.match(await said(['migrate', '--to', 'sqlite']), /^2 .*DBOX_STORE must name/);
  assert.match(await said(['migrate', '--to', 'postgres://a@127.0.0.1:1/b']), /^2 .*There is no box in/);
});
