import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { TaskSpec } from '@dbox/contracts';
import { readTaskSpecs } from './task-spec-reader.ts';
import { TASK_SPEC_EXAMPLES } from './task-spec-schema.ts';

const specsDir = new URL('../../specs/', import.meta.url);

function read(yaml: string) {
  return readTaskSpecs({ file: 'spec.yaml', yaml });
}
function readGood(yaml: string): TaskSpec {
  const { specs, findings } = read(yaml);
  assert.deepEqual(findings, []);
  assert.equal(specs.length, 1);
  return specs[0]!;
}
/** `code line:column path` of each finding. */
function places(yaml: string): string[] {
  return read(yaml).findings.map(({ code, line, column, path }) =>
    `${code} ${line}:${column} ${path}`.trimEnd(),
  );
}

test('the example of the plan is read letter for letter and every default is filled in', () => {
  const yaml = readFileSync(new URL('create-blog.yaml', specsDir), 'utf8');
  const { specs, findings } = readTaskSpecs({ file: 'create-blog.yaml', yaml });
  assert.deepEqual(findings, []);
  assert.deepEqual(specs, [
    {
      id: 'task-001',
      title: 'Create blog website',
      owner: 'manager',
      priority: 'high',
      description: '',
      inputs: [{ type: 'template', name: 'simple-static', values: {} }],
      outputs: [{ path: '/workspace/tasks/task-001/src' }],
      acceptance: [
        {
          kind: 'http',
          path: '/',
          method: 'GET',
          headers: {},
          body: null,
          statuses: [200],
          contains: [],
          matches: [],
          json: {},
          maxLatencyMs: null,
        },
      ],
      tests: [{ run: './run-tests.sh' }],
      dependsOn: [],
      constraints: { maxMinutes: 30, maxAttempts: 3, maxTokens: null, maxCostUsd: null, network: 'none' },
      artifacts: [],
      environment: 'dev',
      retires: [],
      specKit: null,
    },
  ]);
});

test('what is read satisfies the contract', () => {
  for (const example of Object.values(TASK_SPEC_EXAMPLES)) {
    const yaml = example.startsWith('id:') ? `${example}\ntests: []` : `id: a\n${example}`;
    const { specs, findings } = read(yaml);
    assert.deepEqual(
      findings.filter(({ code }) => code !== 'no_way_to_check'),
      [],
      example,
    );
    TaskSpec.parse(specs[0]);
  }
});

test('a title, an owner, a priority and constraints have defaults', () => {
  const spec = readGood('id: a\ntests: [{run: "true"}]');
  assert.deepEqual([spec.title, spec.owner, spec.priority], ['a', 'manager', 'medium']);
});

test('a split criterion and the same one written whole are one', () => {
  const split = readGood(`
id: a
acceptance:
  - url: /x
  - method: POST
  - body: hi
  - should_respond: [201, 200]
  - contains: one
  - contains: [two]
  - headers: {Accept: text/html}
  - run: make
  - exit_code: 2
  - log: {must_not_match: ERROR}
`);
  const whole = readGood(`
id: a
acceptance:
  - {url: 'http://localhost:9/x', method: POST, body: hi, should_respond: [200, 201],
     contains: [one, two], headers: {accept: text/html}}
  - {run: make, exit_code: 2}
  - {log: {must_not_match: ERROR}}
`);
  assert.deepEqual(split.acceptance, whole.acceptance);
  assert.equal(split.acceptance.length, 3);
});

test('one file may hold several documents, a list, or a map with tasks', () => {
  const ids = (yaml: string) => {
    const { specs, findings } = read(yaml);
    assert.deepEqual(findings, []);
    return specs.map(({ id }) => id);
  };
  const tests = 'tests: [{run: x}]';
  assert.deepEqual(ids(`id: a\n${tests}\n---\nid: b\n${tests}\n---\n`), ['a', 'b']);
  assert.deepEqual(ids(`- {id: a, ${tests}}\n- {id: b, ${tests}}`), ['a', 'b']);
  assert.deepEqual(ids(`tasks: [{id: a, ${tests}}, {id: b, ${tests}}]`), ['a', 'b']);
});

test('a spec with an error is left out and its neighbours are kept', () => {
  const { specs, findings } = read('- {id: a, tests: [{run: x}]}\n- {id: b, oops: 1}');
  assert.deepEqual(
    specs.map(({ id }) => id),
    ['a'],
  );
  assert.deepEqual(
    findings.map(({ code, path }) => [code, path]),
    [['unknown_key', '[1].oops']],
  );
});

test('a finding says where it stands and what to write instead', () => {
  const { findings } = read('id: a\ndepends-on: [b]\ntests:\n  - run: x\n    shell: bash\n');
  assert.deepEqual(findings, [
    {
      code: 'unknown_key',
      severity: 'error',
      file: 'spec.yaml',
      line: 2,
      column: 1,
      path: '["depends-on"]',
      message: 'There is no key "depends-on" here.',
      hint: 'Did you mean `depends_on`?',
    },
    {
      code: 'unknown_key',
      severity: 'error',
      file: 'spec.yaml',
      line: 5,
      column: 5,
      path: 'tests[0].shell',
      message: 'There is no key "shell" here.',
      hint: 'Known keys: run.',
    },
  ]);
});

test('wrong types, missing keys and bad values are named at their place', () => {
  assert.deepEqual(
    places(`
title: 7
priority: hgh
outputs: src
acceptance:
  - url: /
    should_respond: [200, abc]
    max_latency_ms: 0
inputs:
  - type: template
  - type: magic
depends_on: ['a/b']
constraints: {max_attempts: 1.5}
retires: [chk_1]
`),
    [
      'missing_key 2:1 id',
      'wrong_type 2:8 title',
      'bad_value 3:11 priority',
      'wrong_type 4:10 outputs',
      'wrong_type 7:27 acceptance[0].should_respond[1]',
      'bad_value 8:21 acceptance[0].max_latency_ms',
      'missing_key 10:5 inputs[0].name',
      'bad_value 11:11 inputs[1].type',
      'bad_id 12:14 depends_on[0]',
      'wrong_type 13:29 constraints.max_attempts',
      'bad_id 14:11 retires[0]',
    ],
  );
});

test('what is wrong with structure and with content is said in one go', () => {
  assert.deepEqual(places('id: 7\nacceptance:\n  - url: http://example.com\noutputs: [{path: /etc}]'), [
    'wrong_type 1:5 id',
    'bad_url 3:10 acceptance[0].url',
    'outside_workspace 4:18 outputs[0].path',
  ]);
});

test('a word that YAML reads as a number is asked for in quotes', () => {
  const [finding] = read('id: 007\ntests: []').findings;
  assert.equal(finding?.code, 'wrong_type');
  assert.equal(finding?.hint, 'Put it in quotes: "007".');
});

test('ids that could leave their directory are refused', () => {
  for (const id of ['..', '.hidden', 'a/b', '""', 'a'.repeat(81), '"a\\nb"', '-x']) {
    assert.deepEqual(places(`id: ${id}\ntests: [{run: x}]`), ['bad_id 1:5 id'], id);
  }
});

test('acceptance that contradicts itself is named', () => {
  const one = (items: string) => places(`id: a\nacceptance:\n${items}`);
  assert.deepEqual(one('  - should_respond: 200'), ['refines_nothing 3:5 acceptance[0]']);
  assert.deepEqual(one('  - {url: /, run: x}'), ['mixed_criterion 3:19 acceptance[0].run']);
  assert.deepEqual(one('  - {run: x, contains: y}'), ['mixed_criterion 3:24 acceptance[0].contains']);
  assert.deepEqual(one('  - url: /\n  - should_respond: 1'), ['bad_value 4:21 acceptance[1].should_respond']);
  assert.deepEqual(one('  - {url: /, should_respond: 200}\n  - should_respond: 201'), [
    'duplicate_key 4:21 acceptance[1].should_respond',
  ]);
  assert.deepEqual(one('  - {url: /, body: x}'), ['bad_value 3:20 acceptance[0].body']);
  assert.deepEqual(one('  - {}'), ['bad_value 3:5 acceptance[0]']);
});

test('patterns must be RE2, so that no check can hang its prober', () => {
  assert.deepEqual(places('id: a\nacceptance:\n  - {url: /, matches: "(?=a)"}'), [
    'bad_regex 3:23 acceptance[0].matches',
  ]);
  assert.deepEqual(places('id: a\nacceptance:\n  - log: {must_not_match: "["}'), [
    'bad_regex 3:10 acceptance[0].log',
  ]);
  assert.deepEqual(places(`id: a\nacceptance:\n  - {url: /, matches: ${'a'.repeat(1001)}}`), [
    'bad_regex 3:23 acceptance[0].matches',
  ]);
});

test('headers that would smuggle a second request are refused', () => {
  for (const header of ['host: x', 'Content-Length: "1"', '"a b": x', 'x: "a\\r\\nb: c"', '{a: x, A: y}']) {
    const headers = header.startsWith('{') ? header : `{${header}}`;
    assert.deepEqual(
      places(`id: a\nacceptance:\n  - {url: /, headers: ${headers}}`),
      ['bad_header 3:23 acceptance[0].headers'],
      header,
    );
  }
});

test('outputs stay below /workspace and relative ones lie in the directory of the task', () => {
  const spec = readGood('id: t\ntests: [{run: x}]\noutputs: [{path: src/}, {path: /workspace//a/./b}]');
  assert.deepEqual(spec.outputs, [{ path: '/workspace/tasks/t/src' }, { path: '/workspace/a/b' }]);
  for (const path of [
    '/etc/passwd',
    '/workspace',
    '/workspace/',
    '/workspaces/a',
    '../x',
    'a/../../b',
    '"a\\nb"',
  ]) {
    assert.deepEqual(
      places(`id: t\ntests: [{run: x}]\noutputs: [{path: ${path}}]`),
      ['outside_workspace 3:18 outputs[0].path'],
      path,
    );
  }
});

test('attempts and artifacts are relative and stay inside', () => {
  for (const path of ['/etc', '../x', 'a/..']) {
    assert.deepEqual(
      places(
        `id: t\ntests: [{run: x}]\nartifacts: [${path}]\ninputs: [{type: scripted, attempts: [${path}]}]`,
      ),
      ['bad_path 3:13 artifacts[0]', 'bad_path 4:38 inputs[0].attempts[0]'],
      path,
    );
  }
});

test('a task without tests and acceptance is warned about and kept', () => {
  const { specs, findings } = read('id: a');
  assert.equal(specs.length, 1);
  assert.deepEqual(
    findings.map(({ code, severity }) => [code, severity]),
    [['no_way_to_check', 'warning']],
  );
});

test('the same dependency twice is one', () => {
  assert.deepEqual(readGood('id: a\ntests: [{run: x}]\ndepends_on: [b, b]').dependsOn, ['b']);
});
