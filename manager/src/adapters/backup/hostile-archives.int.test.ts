import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import {
  type ArchivePart,
  ArchiveRefusedError,
  type Manifest,
  readArchive,
  writeArchive,
} from '@dbox/archive';
import { archiveOf, newWorkspace, restoreFrom } from './testing/boxes.ts';

/** The archive of a box, taken apart, changed, and put together again with checksums that are right. */
async function reworked(
  t: TestContext,
  change: (parts: ArchivePart[], manifest: Manifest) => ArchivePart[] | undefined,
): Promise<Readable> {
  const parts: ArchivePart[] = [];
  const manifest = await readArchive(Readable.from([await archiveOf(t)], { objectMode: false }), {
    async entry(entry) {
      const body: Buffer[] = [];
      for await (const chunk of entry.body) body.push(Buffer.from(chunk));
      parts.push({ ...entry, body });
    },
  });
  const changed = change(parts, manifest) ?? parts;
  const { counts, data, missing, skipped, checksumsSha256: _, ...opening } = manifest;
  const { tables, repositories, artifacts } = counts;
  const archive = writeArchive({
    opening,
    parts: (async function* () {
      yield* changed;
    })(),
    close: () => ({ counts: { tables, repositories, artifacts }, data, missing, skipped }),
  });
  return Readable.from(archive, { objectMode: false });
}

function file(name: string, content: string | Buffer): ArchivePart {
  const body = Buffer.from(content as string);
  return { name, sizeBytes: body.length, body: [body] };
}

function edit(parts: ArchivePart[], name: RegExp, change: (text: string) => string): ArchivePart[] {
  return parts.map((part) =>
    name.test(part.name)
      ? file(part.name, change(Buffer.concat([...(part.body as Buffer[])]).toString()))
      : part,
  );
}

const without = (parts: ArchivePart[], name: RegExp) => parts.filter((part) => !name.test(part.name));

const HOSTILE: readonly [
  string,
  (parts: ArchivePart[], manifest: Manifest) => ArchivePart[] | undefined,
  RegExp,
][] = [
  ['a path out of the workspace', (parts) => [...parts, file('../../etc/x', '')], /leads astray/],
  ['an absolute path', (parts) => [...parts, file('/tmp/x', '')], /leads astray/],
  ['a path out of a site', (parts) => [...parts, file('data/blog/dev/../../../x', '')], /leads astray/],
  ['a file that no backup has', (parts) => [...parts, file('agents/coding/x', '')], /does not know/],
  ['git settings', (parts) => [...parts, file('projects/blog.git/config', '')], /does not know/],
  ['the store itself', (parts) => [...parts, file('task.db', '')], /does not know/],
  ['a mark', (parts) => [...parts, file('restore.json', '')], /does not know/],
  ['an odd secret', (parts) => [...parts, file('secrets/.ssh', '')], /does not know/],
  [
    'a password of another machine',
    (parts) => [...parts, file('secrets/database.password', 'theirs')],
    /does not know/,
  ],
  ['a key of an earlier life', (parts) => [...parts, file('secrets/job.key', 'theirs')], /does not know/],
  ['an entry twice', (parts) => [...parts, file('secrets/env.key', 'other')], /twice/],
  ['a page that skips', (parts) => [...parts, file('store/events/000007.ndjson', '')], /is not page 2/],
  [
    'a file in the way of a directory',
    (parts) => [file('data/blog', ''), ...parts],
    /a file and a directory/,
  ],
  [
    'more than the disk holds',
    (parts) => [...parts, { name: 'data/blog/dev/huge', sizeBytes: 2 ** 50, body: [] }],
    /does not fit on the disk: "data\/blog\/dev\/huge" has 1125899906842624 bytes/,
  ],
  ['rows that are not JSON', (parts) => edit(parts, /stories/, () => 'no\n'), /not JSON/],
  [
    'rows that are lists',
    (parts) => edit(parts, /store\/tokens|store\/stories/, () => '[]\n'),
    /not one of a store/,
  ],
  [
    'a row that breaks off',
    (parts) => edit(parts, /store\/stories/, (text) => text.slice(0, -5)),
    /breaks off/,
  ],
  [
    'a row too few',
    (parts) => edit(parts, /store\/stories/, (text) => text.slice(text.indexOf('\n') + 1)),
    /stories has 2 rows, 3/,
  ],
  [
    'a changed event',
    (parts) => edit(parts, /store\/events/, (text) => text.replace('system', 'someone')),
    /event 1 was changed/,
  ],
  [
    'another end of the ledger',
    (_parts, manifest) => void Object.assign(manifest.ledger, { hash: 'f'.repeat(64) }),
    /the ledger ends at event 3/,
  ],
  [
    'a table of its own',
    (parts) => [...parts, file('store/applied_migrations/000001.ndjson', '{"name":"x"}\n')],
    /no table/,
  ],
  ['a later schema', (_parts, manifest) => void manifest.schema.push('0099-later'), /newer version/],
  ['a repository too few', (parts) => without(parts, /projects\/shop\.bundle/), /lacks commit .* of shop/],
  [
    'a repository of another',
    (parts) =>
      parts.map((part) =>
        /projects\/shop/.test(part.name)
          ? { ...parts.find((one) => /projects\/blog/.test(one.name))!, name: part.name }
          : part,
      ),
    /lacks commit .* of shop/,
  ],
  [
    'no bundle',
    (parts) => edit(parts, /projects\/shop/, () => 'hello'),
    /projects\/shop cannot be made again/,
  ],
  [
    'a cut bundle',
    (parts) =>
      parts.map((part) =>
        /projects\/shop/.test(part.name)
          ? file(part.name, Buffer.concat(part.body as Buffer[]).subarray(0, -30))
          : part,
      ),
    /projects\/shop cannot be made again/,
  ],
  [
    'refs that are none',
    (parts) =>
      parts.map((part) =>
        /projects\/shop/.test(part.name)
          ? file(
              part.name,
              Buffer.from(
                Buffer.concat(part.body as Buffer[])
                  .toString('latin1')
                  .replace('refs/dbox', 'refs/../x'),
                'latin1',
              ),
            )
          : part,
      ),
    /projects\/shop cannot be made again/,
  ],
  [
    'an artifact that lies elsewhere',
    (parts) =>
      edit(parts, /store\/artifacts/, (text) => text.replaceAll('tests.log', '/../../../../../etc/hosts')),
    /names an artifact that is none/,
  ],
  ['an artifact too few', (parts) => without(parts, /artifacts\/art_/), /lacks artifact art_/],
];

for (const [what, change, says] of HOSTILE) {
  test(`refused, and nothing is left of it: ${what}`, async (t) => {
    const workspace = newWorkspace(t);
    mkdirSync(join(workspace, 'secrets'));
    writeFileSync(join(workspace, 'secrets', 'env.key'), 'kept');
    await assert.rejects(restoreFrom(await reworked(t, change), workspace), (error) => {
      assert.ok(error instanceof ArchiveRefusedError, String(error));
      assert.match(error.message, says);
      return true;
    });
    assert.deepEqual(
      readdirSync(workspace).filter((name) => !name.startsWith('.restore.lock')),
      ['secrets'],
    );
    assert.equal(readFileSync(join(workspace, 'secrets', 'env.key'), 'utf8'), 'kept');
    assert.deepEqual(readdirSync(join(workspace, '..')), ['workspace']);
  });
}

test('what was missing already is told, not refused', async (t) => {
  const workspace = newWorkspace(t);
  let id = '';
  const source = await reworked(t, (parts, manifest) => {
    const name = parts.find((part) => /artifacts\/art_/.test(part.name))!.name;
    id = /art_[0-9a-z]{10}/.exec(name)![0];
    manifest.missing.artifacts.push(id);
    return parts.filter((part) => part.name !== name);
  });
  const { warnings } = await restoreFrom(source, workspace);
  assert.deepEqual(warnings, [`artifact ${id} was missing already when the backup was made`]);
});
