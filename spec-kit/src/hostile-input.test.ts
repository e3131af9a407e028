import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_SPEC_BYTES, readRunPlan, readTaskSpecs } from './index.ts';

function codes(yaml: string): string[] {
  const { specs, findings } = readTaskSpecs({ file: 'x.yaml', yaml });
  if (findings.some(({ severity }) => severity === 'error')) assert.equal(specs.length, 0);
  for (const finding of findings) {
    assert.ok(finding.line >= 1 && finding.column >= 1);
    assert.ok(finding.message.length > 0 && finding.message.length < 500, finding.message);
    assert.ok(finding.hint.length > 0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a message goes to a terminal.
    assert.doesNotMatch(finding.message + finding.hint, /[\u0000-\u001f\u007f]/);
  }
  return [...new Set(findings.map(({ code }) => code))];
}

test('an empty file is said to be empty', () => {
  for (const yaml of ['', '\n\n', '# only a comment\n', '---\n---\n', '~', '[]', 'tasks: []', '\ufeff']) {
    assert.deepEqual(codes(yaml), ['empty_document'], JSON.stringify(yaml));
  }
});

test('a byte order mark before a good spec does no harm', () => {
  assert.deepEqual(codes('\ufeffid: a\ntests: [{run: x}]'), []);
});

test('what is no map is a wrong type', () => {
  for (const yaml of ['hello', '42', '- 1', 'tasks: 1', 'tasks: [x]'])
    assert.deepEqual(codes(yaml), ['wrong_type'], yaml);
});

test('a file over the limit is refused unread', () => {
  assert.deepEqual(codes(`id: ${'a'.repeat(1024 * 1024)}`), ['too_large']);
  assert.deepEqual(codes(`# ${'é'.repeat(MAX_SPEC_BYTES / 2)}`), ['too_large']);
});

test('one endless line within the limit is a finding and short in its message', () => {
  assert.deepEqual(codes(`id: ${'a'.repeat(MAX_SPEC_BYTES - 100)}`), ['bad_id']);
  assert.deepEqual(codes(`id: a\n${'k'.repeat(1000)}: 1`), ['unknown_key']);
});

test('broken YAML is named with line and column', () => {
  const { findings } = readTaskSpecs({ file: 'x.yaml', yaml: 'id: a\ntests:\n\t- run: x\n' });
  assert.deepEqual(findings.map(({ code, line, column, hint }) => ({ code, line, column, hint }))[0], {
    code: 'yaml_syntax',
    line: 3,
    column: 1,
    hint: 'Indent with spaces.',
  });
  for (const yaml of [
    'id: "a',
    'id: [a',
    'id: a: b',
    '{',
    'id: a\n b: c',
    '%YAML',
    '@',
    '`',
    '}',
    'a: *b c',
  ]) {
    assert.equal(codes(yaml)[0], 'yaml_syntax', yaml);
  }
});

test('bytes that are no UTF-8 text are named', () => {
  assert.deepEqual(codes('id: a\ntitle: caf\ufffd'), ['wrong_encoding']);
  assert.deepEqual(codes(Buffer.from('id: a', 'utf16le').toString('utf8')), ['wrong_encoding']);
  assert.deepEqual(codes('id: a\0'), ['control_character']);
  assert.deepEqual(codes('id: a\ntitle: "a\\0b"'), ['control_character']);
  assert.deepEqual(codes('id: a\ntitle: "a\u001b[31mb"'), ['control_character']);
  assert.deepEqual(codes('id: a\ntitle: "a\\e[31mb"\ntests: []\nacceptance: []'), ['control_character']);
});

test('alias bombs are stopped, and a few aliases are fine', () => {
  const levels = Array.from(
    { length: 12 },
    (_, level) => `l${level}: &l${level} [${level === 0 ? 'x' : `${`*l${level - 1},`.repeat(9)}`}]`,
  );
  assert.deepEqual(codes(levels.join('\n')), ['too_many_aliases']);
  assert.deepEqual(codes('&a [*a]'), ['too_deep']);
  assert.deepEqual(codes('id: a\ntests: &t [{run: x}]\ndescription: *nope'), ['unknown_alias']);
  const { specs, findings } = readTaskSpecs({
    file: 'x.yaml',
    yaml: '- id: a\n  tests: &t [{run: x}]\n- id: b\n  tests: *t\n',
  });
  assert.deepEqual(findings, []);
  assert.deepEqual(specs[1]?.tests, [{ run: 'x' }]);
});

test('huge nesting is refused, however it is written', () => {
  const count = 20_000;
  for (const yaml of [
    '['.repeat(count) + ']'.repeat(count),
    '{a: '.repeat(count) + '}'.repeat(count),
    '- '.repeat(count),
    '? '.repeat(count),
    Array.from({ length: 400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    `id: a\ndescription: ${'['.repeat(60)}${']'.repeat(60)}`,
  ]) {
    assert.equal(codes(yaml)[0], 'too_deep', yaml.slice(0, 20));
  }
});

test('keys that reach into the program are only unknown or bad keys', () => {
  assert.deepEqual(codes('id: a\ntests: []\n__proto__: {x: 1}'), ['bad_key']);
  assert.deepEqual(codes('id: a\nconstructor: 1\ntoString: 2\nhasOwnProperty: 3'), ['unknown_key']);
  assert.deepEqual(codes('id: a\nacceptance: [{url: /, json: {__proto__: 1}}]'), ['bad_key']);
  assert.deepEqual(codes('id: a\n? [x]\n: 1'), ['bad_key']);
  assert.equal(({} as Record<string, unknown>).x, undefined);
});

test('the same key twice and tags are refused', () => {
  assert.deepEqual(codes('id: a\nid: b'), ['duplicate_key']);
  assert.deepEqual(codes('id: !!js/function "x"'), ['yaml_tag']);
  assert.deepEqual(codes('id: !!binary aGk='), ['yaml_tag']);
});

test('ten thousand findings are cut', () => {
  const yaml = `id: a\n${Array.from({ length: 10_000 }, (_, n) => `k${n}: 1`).join('\n')}`;
  assert.equal(readTaskSpecs({ file: 'x.yaml', yaml }).findings.length, 100);
});

test('what the YAML library quotes of a document is made printable', () => {
  const { findings } = readTaskSpecs({ file: 'x.yaml', yaml: '>: (\t' });
  assert.ok(findings.some(({ message }) => message.includes('(\\u0009')));
});

test('no text at all makes a reader throw', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ...[
        'id',
        'tests',
        'acceptance',
        'url',
        'run',
        'inputs',
        ': ',
        '- ',
        '\n',
        '\n  ',
        '[',
        ']',
        '{',
        '}',
        '&a ',
        '*a',
      ],
      ...[
        '"',
        "'",
        '|',
        '>',
        '#',
        '---\n',
        '!',
        '%',
        '?',
        '\t',
        ',',
        '~',
        '200',
        'type: template',
        '__proto__',
        '\\',
      ],
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('');
      codes(text);
      readRunPlan({ dboxYaml: text, packageJson: text, paths: [text], containers: true });
      readRunPlan({ dboxYaml: null, packageJson: text, paths: [], containers: false });
    }),
    { numRuns: 500 },
  );
});

test('no value at any key makes a reader throw', () => {
  const keys = [
    'id',
    'title',
    'inputs',
    'outputs',
    'acceptance',
    'tests',
    'constraints',
    'depends_on',
    'spec_kit',
  ];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), fc.jsonValue()), (spec) => {
      codes(JSON.stringify(spec));
    }),
    { numRuns: 300 },
  );
});
