// biome-ignore-all lint/suspicious/noTemplateCurlyInString: compose files are written so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { readComposeFile } from './read-compose-file.ts';

const SETTINGS = { SECRET: 'hunter2-canary', BIG: 'x'.repeat(32 * 1024) };

function codes(text: string): string[] {
  const { plan, findings } = readComposeFile({
    text,
    file: 'compose.yaml',
    settings: SETTINGS,
    boxName: 'mybox',
    most: { memoryBytes: 1024 ** 3, cpus: 2, pids: 256 },
  });
  const errors = findings.filter(({ severity }) => severity === 'error');
  assert.equal(plan === null, errors.length > 0);
  assert.ok(findings.length <= 100);
  for (const { line, column, message, hint, path } of findings) {
    assert.ok(line >= 1 && column >= 1 && hint.length > 0 && path.length < 5000);
    assert.ok(message.length > 0 && message.length < 600, message);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a message goes to a terminal.
    assert.doesNotMatch(message + hint, /[\u0000-\u001f\u007f]/);
    assert.ok(!`${message}${hint}${path}`.includes('canary'));
  }
  return [...new Set(errors.map(({ code }) => code))];
}

const one = (line: string) => `services:\n  web:\n    build: .\n    ${line}\n`;

test('what is too large, no text or no compose file is said to be so', () => {
  for (const text of ['', '\n', '# only this\n', '---\n', '~'])
    assert.deepEqual(codes(text), ['empty_document'], text);
  for (const text of ['hello', '42', '- services']) assert.deepEqual(codes(text), ['wrong_type'], text);
  assert.deepEqual(codes(`services: {web: {build: "${'a'.repeat(1024 * 1024)}"}}`), ['too_large']);
  assert.deepEqual(codes('services: \0'), ['wrong_encoding']);
  assert.deepEqual(codes('services: "caf\ufffd"'), ['wrong_encoding']);
  assert.deepEqual(codes('services: "\u001b[31m"'), ['control_character']);
  assert.deepEqual(codes(one('command: "a\\0b"')), ['control_character']);
  assert.deepEqual(codes(`${one('')}---\n${one('')}`), ['bad_value']);
  assert.deepEqual(codes(`\ufeff${one('')}`), []);
});

test('bombs of aliases, merges and nesting are stopped in time', () => {
  const startedAt = performance.now();
  const levels = Array.from(
    { length: 12 },
    (_, n) => `x-l${n}: &l${n} [${n === 0 ? 'x' : `${`*l${n - 1},`.repeat(9)}`}]`,
  );
  assert.deepEqual(codes(levels.join('\n')), ['too_many_aliases']);
  const merges = Array.from({ length: 40 }, (_, n) =>
    n === 0 ? 'x-m0: &m0 {a: b}' : `x-m${n}: &m${n} {<<: [*m${n - 1}, *m${n - 1}], a${n}: b}`,
  );
  assert.match(codes(merges.join('\n'))[0]!, /too_many_aliases|too_deep/);
  assert.deepEqual(codes('x-a: &a [*a]'), ['too_deep']);
  assert.deepEqual(codes('x-a: &a {<<: *a}'), ['too_deep']);
  assert.deepEqual(codes('x-a: *nope'), ['unknown_alias']);
  for (const text of ['['.repeat(20_000), '{a: '.repeat(20_000), '- '.repeat(20_000), '? '.repeat(20_000)]) {
    assert.equal(codes(text)[0], 'too_deep');
  }
  assert.deepEqual(codes(one(`x-a: ${'['.repeat(60)}${']'.repeat(60)}`)), ['too_deep']);
  const keys = Array.from({ length: 20_000 }, (_, n) => `k${n}: 1`).join('\n');
  assert.deepEqual(codes(keys), ['unknown_key']);
  assert.ok(performance.now() - startedAt < 10_000);
});

test('fillings that would blow up are stopped in time', () => {
  const startedAt = performance.now();
  assert.deepEqual(codes(one(`environment: {A: "${'$BIG'.repeat(10)}"}`)), ['bad_interpolation']);
  const each = Array.from({ length: 500 }, (_, n) => `A${n}: $BIG`).join(', ');
  assert.deepEqual(codes(one(`environment: {${each}}`)), ['too_large']);
  assert.deepEqual(codes(one(`environment: {A: "${'${A:-'.repeat(50)}${'}'.repeat(50)}"}`)), [
    'bad_interpolation',
  ]);
  assert.deepEqual(codes(one(`environment: {A: "\${A:-${'$$'.repeat(100_000)}}"}`)), []);
  assert.deepEqual(codes(one(`environment: {A: "${'${'.repeat(100_000)}"}`)), ['bad_interpolation']);
  assert.ok(performance.now() - startedAt < 10_000);
});

test('one endless value at any key is read in time', () => {
  const keys = [
    'image',
    'build',
    'command',
    'user',
    'working_dir',
    'stop_grace_period',
    'stop_signal',
    'mem_limit',
  ];
  for (const key of [
    ...keys,
    'cpus',
    'hostname',
    'volumes',
    'tmpfs',
    'ports',
    'expose',
    'depends_on',
    'networks',
  ]) {
    for (const piece of ['/', '//./', ' ', '1', ':', '1m', '$$', '../', '\\\\', ',', '@', '1.']) {
      const text = `"${piece.repeat(Math.floor((200 * 1024) / piece.length))}x"`;
      const startedAt = performance.now();
      codes(`services: {web: {${key === 'build' ? '' : 'build: ., '}${key}: [${text}, ${key}]}}`);
      codes(`services: {web: {${key === 'build' ? '' : 'build: ., '}${key}: ${text}}}`);
      // Milliseconds where it is linear, many seconds where it is not.
      assert.ok(performance.now() - startedAt < 5_000, `${key}: ${piece}`);
    }
  }
});

test('keys that reach into the program are only unknown or bad keys', () => {
  for (const key of ['constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
    assert.deepEqual(codes(`${one('')}${key}: {a: b}`), ['unknown_key'], key);
    assert.deepEqual(codes(one(`${key}: {a: b}`)), ['unknown_key'], key);
    assert.deepEqual(codes(one(`depends_on: {${key}: {condition: ${key}}}`)).length, 1, key);
    assert.deepEqual(codes(one(`environment: {A: "\${${key}:-x}"}`)), [], key);
  }
  assert.deepEqual(codes(`${one('')}__proto__: {a: b}`), ['bad_key']);
  assert.deepEqual(codes(one('build: {}')), ['duplicate_key']);
  assert.deepEqual(codes(one('command: !!js/function "x"')), ['yaml_syntax']);
  assert.deepEqual(codes(one('command: !reset null')), ['yaml_syntax']);
  assert.equal(({} as Record<string, unknown>).a, undefined);
});

const word = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
const value = fc.stringMatching(/^[ -#%-~]{0,20}$/);

test('a plan of a generated file says what the file says', () => {
  const service = fc.record(
    {
      environment: fc.dictionary(fc.stringMatching(/^[A-Z][A-Z_]{0,8}$/), value, { maxKeys: 4 }),
      command: fc.oneof(fc.array(value, { maxLength: 4 }), word),
      user: word,
      init: fc.boolean(),
      read_only: fc.boolean(),
      stop_grace_period: fc.nat(59).map((n) => `${n}s`),
      mem_limit: fc.integer({ min: 6, max: 1024 }).map((n) => `${n}m`),
      volumes: fc.uniqueArray(word, { maxLength: 3 }),
      entrypoint: fc.array(value, { maxLength: 3 }),
    },
    { requiredKeys: ['environment', 'volumes'] },
  );
  fc.assert(
    fc.property(fc.dictionary(word, service, { minKeys: 1, maxKeys: 5 }), fc.boolean(), (given, isFlow) => {
      const names = Object.keys(given);
      const services = Object.fromEntries(
        names.map((name, n) => [
          name,
          {
            ...given[name],
            image: 'example/app:1',
            // Aliases and plain text must come to the same.
            volumes: given[name]!.volumes.map((volume) => `${volume}:/${volume}`),
            ...(n === 0 ? { ports: ['8080:80'] } : { depends_on: [names[n - 1]] }),
            labels: { 'dbox.keep': 'false' },
          },
        ]),
      );
      const volumes = Object.fromEntries(
        names.flatMap((name) => given[name]!.volumes.map((one) => [one, null])),
      );
      const text = isFlow ? JSON.stringify({ services, volumes }) : stringify({ services, volumes });
      const { plan, findings } = readComposeFile({
        text,
        file: 'compose.yaml',
        settings: SETTINGS,
        boxName: 'mybox',
        most: { memoryBytes: 1024 ** 3, cpus: 2, pids: 256 },
      });
      assert.ok(plan, `${text}\n${JSON.stringify(findings)}`);
      assert.equal(plan.web, names[0]);
      assert.deepEqual(
        plan.services.map(({ name }) => name),
        names,
      );
      for (const read of plan.services) {
        const wrote = given[read.name]!;
        assert.deepEqual(read.environment, { ...wrote.environment });
        assert.deepEqual(read.secretNames, []);
        assert.deepEqual(
          read.volumes.map(({ volume }) => volume),
          wrote.volumes,
        );
        assert.deepEqual(read.entrypoint, wrote.entrypoint ?? null);
        assert.deepEqual(
          read.command,
          typeof wrote.command === 'string' ? [wrote.command] : (wrote.command ?? null),
        );
        assert.equal(read.init, wrote.init ?? false);
        assert.equal(read.readOnly, wrote.read_only ?? false);
        assert.equal(read.user, wrote.user ?? null);
      }
    }),
    { numRuns: 200 },
  );
});

test('no text at all makes the reader throw, and no error comes without a place', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ...[
        'services',
        'web',
        'build',
        'image',
        'volumes',
        'ports',
        'environment',
        ': ',
        '- ',
        '\n',
        '\n  ',
        '\n    ',
      ],
      ...[
        '[',
        ']',
        '{',
        '}',
        '&a ',
        '*a',
        '<<',
        '"',
        "'",
        '|',
        '#',
        '---\n',
        '!',
        '%',
        '?',
        '\t',
        ',',
        '~',
        '80',
        '/',
      ],
      ...[
        '${SECRET}',
        '$SECRET',
        '$$',
        '${',
        '${A:-',
        'depends_on',
        'labels',
        'dbox.web',
        'true',
        '__proto__',
        '\\',
      ],
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      codes(pieces.join(''));
    }),
    { numRuns: 300 },
  );
});

test('no value at any key makes the reader throw', () => {
  const keys = [
    ...[
      'build',
      'command',
      'cpus',
      'depends_on',
      'deploy',
      'entrypoint',
      'environment',
      'expose',
      'healthcheck',
    ],
    ...['image', 'init', 'labels', 'mem_limit', 'networks', 'ports', 'profiles', 'tmpfs', 'user', 'volumes'],
    ...[
      'stop_signal',
      'stop_grace_period',
      'hostname',
      'container_name',
      'working_dir',
      'shm_size',
      'pids_limit',
    ],
    ...[
      'context',
      'dockerfile',
      'args',
      'target',
      'source',
      'type',
      'test',
      'interval',
      'condition',
      'limits',
    ],
  ];
  const leaf = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('$SECRET', '${SECRET}', 'a:/b', '80', 'true', '/', '10s'),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 2 },
      leaf,
      fc.dictionary(fc.constantFrom(...keys), tie('tree'), { maxKeys: 4 }),
      fc.array(tie('tree'), { maxLength: 4 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), tree), tree, (web, top) => {
      codes(JSON.stringify({ services: { web: { build: '.', ...web } }, volumes: top, networks: top }));
    }),
    { numRuns: 300 },
  );
});
