import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Criterion, TaskSpec } from '@dbox/contracts';
import { PRIORITIES } from '@dbox/contracts';
import fc from 'fast-check';
import { readTaskSpecs } from './task-spec-reader.ts';
import { writeTaskSpec } from './task-spec-writer.ts';

/** Text with what YAML and terminals trip over; NUL is no part of any spec. */
const text = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.constantFrom(
      'true',
      '007',
      'null',
      '- a',
      'a: b',
      '# x',
      ' x ',
      '\n',
      'a\r\nb',
      '\ufffd',
      '\ufeff',
      '*a',
      "'",
      '"\\',
    ),
  )
  .map((value) => value.replaceAll('\0', ''));
const someText = text.filter((value) => value.length > 0);
// biome-ignore lint/suspicious/noControlCharactersInRegex: a title is one printable line.
const line = someText.map((value) => value.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '.'));
const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/);
const innerPath = line
  .map((value) => value.replace(/^\/+/, 'x'))
  .filter((value) => !value.split('/').includes('..') && value.length > 0);
const outputPath = fc
  .array(fc.stringMatching(/^[A-Za-z0-9 :#'"-]{1,9}$/), { minLength: 1, maxLength: 4 })
  .map((parts) => `/workspace/${parts.join('/')}`);
const pattern = fc.constantFrom('a+', '^x$', '\\d{3}', '[a-z]', 'ERROR|panic', '#x', "it's");
const record = <T>(value: fc.Arbitrary<T>) =>
  fc.dictionary(
    text.filter((key) => key !== '__proto__'),
    value,
    { maxKeys: 3, noNullPrototype: true },
  );

const object = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { noNullPrototype: true });

const criterion: fc.Arbitrary<Criterion> = fc.oneof(
  object({ kind: fc.constant('command' as const), run: someText, exitCode: fc.nat(255) }),
  object({ kind: fc.constant('log' as const), mustNotMatch: pattern }),
  object({
    kind: fc.constant('http' as const),
    path: fc
      .webPath()
      .chain((path) => fc.tuple(fc.constant(path || '/'), fc.webQueryParameters()))
      .map(([path, query]) => {
        const url = new URL(`http://devsite${path}${query ? `?${query}` : ''}`);
        return url.pathname + url.search;
      }),
    method: fc.constantFrom('POST' as const, 'PUT' as const),
    headers: fc.dictionary(fc.stringMatching(/^x-[a-z0-9]{1,5}$/), fc.stringMatching(/^[ -~]{0,9}$/), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
    body: fc.option(text),
    statuses: fc
      .uniqueArray(fc.integer({ min: 100, max: 599 }), { minLength: 1, maxLength: 3 })
      .map((statuses) => statuses.sort((a, b) => a - b)),
    contains: fc.array(someText, { maxLength: 3 }),
    matches: fc.array(pattern, { maxLength: 2 }),
    json: record(
      fc.jsonValue({ maxDepth: 2 }).map((value) =>
        JSON.parse(
          JSON.stringify(value)
            .replaceAll(/__proto__|\\u0000/g, 'x')
            .replaceAll(/-0(?=[,}\]]|$)/g, '0'),
        ),
      ),
    ),
    maxLatencyMs: fc.option(fc.integer({ min: 1, max: 100_000 })),
  }),
);

const taskSpec: fc.Arbitrary<TaskSpec> = object({
  id,
  title: line,
  owner: line,
  priority: fc.constantFrom(...PRIORITIES),
  description: text,
  inputs: fc.array(
    fc.oneof(
      object({
        type: fc.constant('template' as const),
        name: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,9}$/),
        values: record(text),
      }),
      object({
        type: fc.constant('scripted' as const),
        attempts: fc.array(innerPath, { minLength: 1, maxLength: 3 }),
      }),
    ),
    { maxLength: 2 },
  ),
  outputs: fc.array(object({ path: outputPath }), { maxLength: 2 }),
  acceptance: fc.array(criterion, { maxLength: 4 }),
  tests: fc.array(object({ run: someText }), { maxLength: 2 }),
  dependsOn: fc.uniqueArray(id, { maxLength: 3 }),
  constraints: object({
    maxMinutes: fc.oneof(fc.integer({ min: 1, max: 1440 }), fc.constantFrom(0.5, 30)),
    maxAttempts: fc.integer({ min: 1, max: 100 }),
    maxTokens: fc.option(fc.integer({ min: 1 })),
    maxCostUsd: fc.option(fc.double({ min: 0.01, max: 1e6, noNaN: true })),
    network: fc.constantFrom('none' as const, 'host' as const),
  }),
  artifacts: fc.array(innerPath, { maxLength: 2 }),
  environment: fc.constantFrom('dev', 'production', '0'),
  retires: fc.uniqueArray(fc.stringMatching(/^chk_[0-9a-f]{12}$/), { maxLength: 2 }),
  specKit: fc.option(object({ feature: someText, task: someText })),
});

test('whatever spec is written is read back the same', () => {
  fc.assert(
    fc.property(taskSpec, (spec) => {
      const yaml = writeTaskSpec(spec);
      // As it goes through a file.
      const read = readTaskSpecs({ file: 'x.yaml', yaml: Buffer.from(yaml).toString('utf8') });
      assert.deepEqual(
        read.findings.filter(({ severity }) => severity === 'error'),
        [],
      );
      assert.deepEqual(read.specs, [spec]);
      assert.equal(writeTaskSpec(read.specs[0]!), yaml);
    }),
    { numRuns: 300 },
  );
});

test('a spec of defaults is written without them, and texts as blocks', () => {
  const { specs } = readTaskSpecs({
    file: 'x.yaml',
    yaml: 'id: a\ndescription: "one\\ntwo\\n"\nacceptance: [{url: /}, {should_respond: [201, 200]}]\ntests: [{run: x}]',
  });
  assert.equal(
    writeTaskSpec(specs[0]!),
    [
      'id: a',
      'owner: manager',
      'priority: medium',
      'description: |',
      '  one',
      '  two',
      'acceptance:',
      '  - url: http://devsite:8080/',
      '    should_respond:',
      '      - 200',
      '      - 201',
      'tests:',
      '  - run: x',
      '',
    ].join('\n'),
  );
});
