import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpCriterion } from '@dbox/contracts';
import { evaluateHttp, type ProbeResponse } from './evaluate.ts';

const criterion = (more: Partial<HttpCriterion> = {}): HttpCriterion => ({
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
  ...more,
});
const response = (more: Partial<ProbeResponse> = {}): ProbeResponse => ({
  status: 200,
  location: null,
  body: '',
  bodyWasCut: false,
  latencyMs: 12,
  ...more,
});

const cases: readonly [
  name: string,
  criterion: Partial<HttpCriterion>,
  response: Partial<ProbeResponse>,
  detail: string,
][] = [
  ['the status asked for passes', {}, {}, 'GET / answered 200 in 12 ms'],
  ['another status fails', {}, { status: 500 }, 'GET / answered 500, expected 200'],
  [
    'any of several statuses passes',
    { statuses: [200, 201] },
    { status: 201 },
    'GET / answered 201 in 12 ms',
  ],
  [
    'a redirect is not followed',
    {},
    { status: 302, location: '/in' },
    'GET / answered 302 (to /in), expected 200',
  ],
  [
    'a text that is missing fails',
    { contains: ['a', 'b'] },
    { body: 'a' },
    'GET / answered without "b" in the body',
  ],
  [
    'a cut body is named',
    { contains: ['b'] },
    { body: 'a', bodyWasCut: true },
    'GET / answered without "b" in the part of the body that was read',
  ],
  [
    'a pattern that is found passes',
    { matches: ['v\\d+'] },
    { body: 'is v12' },
    'GET / answered 200 in 12 ms',
  ],
  [
    'a pattern that is not fails',
    { matches: ['^v$'] },
    { body: 'x' },
    'GET / answered, but /^v$/ is not in the body',
  ],
  [
    'a value at a path passes',
    { json: { 'items.0.name': 'x' } },
    { body: '{"items":[{"name":"x"}]}' },
    'GET / answered 200 in 12 ms',
  ],
  ['the whole document is $', { json: { $: [1] } }, { body: '[1]' }, 'GET / answered 200 in 12 ms'],
  ['another value fails', { json: { a: 1 } }, { body: '{"a":"1"}' }, 'GET / answered "1" at a, expected 1'],
  [
    'a path that leads nowhere fails',
    { json: { 'a.b': 1 } },
    { body: '{"a":null}' },
    'GET / answered JSON without a.b',
  ],
  [
    'what every object inherits is not found',
    { json: { constructor: 1 } },
    { body: '{}' },
    'GET / answered JSON without constructor',
  ],
  ['no JSON fails', { json: { a: 1 } }, { body: '<p>' }, 'GET / answered, but the body is no JSON'],
  ['too slow fails', { maxLatencyMs: 11 }, {}, 'GET / took 12 ms, expected at most 11 ms'],
];
for (const [name, given, seen, detail] of cases) {
  test(name, () => {
    const evaluation = evaluateHttp(criterion(given), response(seen));
    assert.equal(evaluation.detail, detail);
    assert.equal(evaluation.ok, detail.endsWith('in 12 ms'));
  });
}

test('a pattern outside of RE2 is named, not thrown', () => {
  const evaluation = evaluateHttp(criterion({ matches: ['(?=x)'] }), response());
  assert.equal(evaluation.ok, false);
  assert.match(evaluation.detail, /is no RE2 expression/);
});

test('a pattern that would hang a backtracking engine is judged at once', () => {
  const evaluation = evaluateHttp(
    criterion({ matches: ['^(a+)+$'] }),
    response({ body: `${'a'.repeat(50_000)}b` }),
  );
  assert.equal(evaluation.ok, false);
});

test('a detail is one short line whatever the response holds', () => {
  const body = JSON.stringify({ a: `\u001b[31m\n${'x'.repeat(5_000)}` });
  const { detail } = evaluateHttp(criterion({ json: { a: 1 } }), response({ body }));
  assert.ok(detail.length < 400);
  assert.doesNotMatch(detail, /\p{Cc}/u);
});
