import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countEntry, MAX_FILE_BYTES, MAX_FILES, parseTreeEntry, refuseLink } from './tree-rules.ts';

const NOTHING = { entries: 0, files: 0, sizeBytes: 0 };
const OBJECT = 'a'.repeat(40);

function entry(mode: string, path: string, sizeBytes: number | null = 1, type = 'blob') {
  return { mode, type, object: OBJECT, sizeBytes, path };
}

test('a link may point anywhere within its tree and nowhere else', () => {
  const inside = ['b', './b', 'b/', '../b', '..', '../x/y', '.', 'x/./y'];
  for (const target of inside) assert.equal(refuseLink('d/l', target), null, target);
  const outside = ['/', '/etc', '../..', '../../b', './../../b', 'x/..', 'x/../..', '..//../b', '', 'a\0b'];
  for (const target of outside) assert.notEqual(refuseLink('d/l', target), null, target);
  assert.notEqual(refuseLink('l', '..'), null);
  assert.equal(refuseLink('a/b/l', '../../c'), null);
});

test('submodules, strange modes, long paths and large files are refused by name', () => {
  const refused = [
    entry('160000', 'sub', null, 'commit'),
    entry('100640', 'x'),
    entry('100644', 'n'.repeat(256)),
    entry('100644', `${'d/'.repeat(500)}x`),
    entry('100644', 'big', MAX_FILE_BYTES + 1),
    entry('120000', 'l', 1_001),
  ];
  for (const one of refused) {
    const counted = countEntry(NOTHING, one);
    assert.ok('reason' in counted && counted.path === one.path, one.path.slice(0, 20));
  }
});

test('files, directories and bytes are counted up to their caps', () => {
  assert.deepEqual(countEntry(NOTHING, entry('100755', 'x', 5)), { entries: 1, files: 1, sizeBytes: 5 });
  assert.deepEqual(countEntry(NOTHING, entry('040000', 'd', null, 'tree')), { ...NOTHING, entries: 1 });
  assert.ok('reason' in countEntry({ ...NOTHING, files: MAX_FILES }, entry('100644', 'x')));
  assert.ok(
    'reason' in countEntry({ ...NOTHING, entries: 2 * MAX_FILES }, entry('040000', 'd', null, 'tree')),
  );
  const full = { ...NOTHING, sizeBytes: 1024 * 1024 * 1024 };
  assert.ok('reason' in countEntry(full, entry('100644', 'x')));
});

test('an entry is read with the size and path that git prints', () => {
  const line = `100644 blob ${OBJECT}     12\ta b/c\td`;
  assert.deepEqual(parseTreeEntry(Buffer.from(line)), entry('100644', 'a b/c\td', 12));
  assert.equal(parseTreeEntry(Buffer.from(`100644 blob ${OBJECT} 12\tcaf\xe9`, 'latin1')), null);
  assert.equal(parseTreeEntry(Buffer.from('no tab')), null);
});
