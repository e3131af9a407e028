import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROUTES, type RouteContract } from '@dbox/contracts';
import { z } from 'zod';
import { answerShape } from './answer-shape.ts';

const shape = (schema: z.ZodType, value: unknown) => {
  const pick = answerShape(schema);
  return JSON.parse(JSON.stringify(pick ? pick(value) : value));
};

test('objects keep only the fields that the contract names, at every depth', () => {
  const inner = z.object({ a: z.string() });
  const schema = z.object({
    one: inner,
    list: z.array(inner),
    byName: z.record(z.string(), inner),
    maybe: inner.nullable(),
    optional: inner.optional(),
  });
  const value = { a: 'x', secret: 1 };
  assert.deepEqual(
    shape(schema, {
      one: value,
      list: [value],
      byName: { k: value },
      maybe: value,
      optional: value,
      secret: 2,
    }),
    {
      one: { a: 'x' },
      list: [{ a: 'x' }],
      byName: { k: { a: 'x' } },
      maybe: { a: 'x' },
      optional: { a: 'x' },
    },
  );
  assert.deepEqual(shape(schema, { one: value, list: [], byName: {}, maybe: null }), {
    one: { a: 'x' },
    list: [],
    byName: {},
    maybe: null,
  });
});

test('a union is picked by its discriminator, and an option that the contract does not know is a bug', () => {
  const schema = z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('a'), x: z.int() }),
    z.object({ kind: z.literal('b'), y: z.int() }),
  ]);
  assert.deepEqual(shape(schema, { kind: 'b', x: 1, y: 2 }), { kind: 'b', y: 2 });
  assert.throws(() => shape(schema, { kind: 'c', secret: 1 }), TypeError);
});

test('free JSON goes out as it is', () => {
  const value = { any: [{ thing: 1 }, null] };
  assert.deepEqual(shape(z.record(z.string(), z.json()), value), value);
});

test('a union of objects without a discriminator cannot be picked and is refused at start', () => {
  assert.throws(
    () => answerShape(z.union([z.object({ a: z.string() }), z.object({ b: z.string() })])),
    TypeError,
  );
});

test('every JSON answer of the contract can be shaped', () => {
  for (const { response } of Object.values(ROUTES) as RouteContract[]) {
    if (typeof response !== 'string') answerShape(response);
  }
});
