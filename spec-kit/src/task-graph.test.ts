import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTaskGraph } from './task-graph.ts';
import { readTaskSpecs } from './task-spec-reader.ts';

function check(yaml: string, known: string[] = []) {
  const { specs, sources } = readTaskSpecs({ file: 'graph.yaml', yaml });
  return checkTaskGraph({ specs, sources, known });
}

test('a graph in order has no findings', () => {
  assert.deepEqual(
    check('- {id: a}\n- {id: b, depends_on: [a]}\n- {id: c, depends_on: [a, b, old]}', ['old']),
    [],
  );
});

test('a cycle is named with its tasks, where it is written', () => {
  const [finding, ...more] = check(
    '- {id: a, depends_on: [x, c]}\n- {id: b, depends_on: [a]}\n- {id: c, depends_on: [b]}',
    ['x'],
  );
  assert.deepEqual(more, []);
  assert.equal(finding?.code, 'cycle');
  assert.match(finding?.message ?? '', /a → c → b → a/);
  assert.deepEqual([finding?.file, finding?.line, finding?.column], ['graph.yaml', 1, 27]);
  assert.equal(finding?.path, '[0].depends_on[1]');
});

test('a task that waits for itself is a cycle', () => {
  assert.match(check('id: a\ndepends_on: [a]')[0]?.message ?? '', /a → a/);
});

test('an unknown dependency is named, with the nearest id', () => {
  const [finding] = check('- {id: start-page}\n- {id: b, depends_on: [strat-page]}');
  assert.equal(finding?.code, 'unknown_dependency');
  assert.deepEqual([finding?.line, finding?.column], [2, 24]);
  assert.equal(finding?.hint, 'Did you mean "start-page"?');
});

test('the second of two same ids is named', () => {
  const findings = check('- {id: a}\n- {id: a}');
  assert.deepEqual(
    findings.map(({ code, line, column, path }) => ({ code, line, column, path })),
    [{ code: 'duplicate_id', line: 2, column: 8, path: '[1].id' }],
  );
});

test('specs of several files are checked together', () => {
  const one = readTaskSpecs({ file: 'one.yaml', yaml: 'id: a\ndepends_on: [b]' });
  const two = readTaskSpecs({ file: 'two.yaml', yaml: 'id: b\ndepends_on: [a]' });
  const [finding] = checkTaskGraph({
    specs: [...one.specs, ...two.specs],
    sources: [...one.sources, ...two.sources],
    known: [],
  });
  assert.deepEqual([finding?.code, finding?.file], ['cycle', 'one.yaml']);
});

test('a chain of a thousand tasks and a cycle as long are walked without recursion', () => {
  const chain = (first: string) =>
    Array.from(
      { length: 1000 },
      (_, n) => `- {id: t${n}, depends_on: [${n === 0 ? first : `t${n - 1}`}]}`,
    ).join('\n');
  assert.deepEqual(check(chain(''), []), []);
  const [finding] = check(chain('t999'));
  assert.equal(finding?.code, 'cycle');
  assert.match(finding?.message ?? '', /991 more/);
});

test('without sources a finding still says the path', () => {
  const { specs } = readTaskSpecs({ file: 'x', yaml: 'id: a\ndepends_on: [b]' });
  assert.equal(checkTaskGraph({ specs, known: [] })[0]?.path, 'depends_on[0]');
});
