import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATIONS, PROBLEM_STATUS, ROUTES, type RouteContract } from '@dbox/contracts';
import { z } from 'zod';
import { createOpenApi } from './openapi.ts';
import { createComponents } from './openapi-components.ts';

interface Operation {
  readonly operationId: string;
  readonly 'x-roles': unknown;
  readonly security: unknown[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly responses: Record<string, unknown>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas: Record<string, { readonly properties?: Record<string, unknown> }>;
  };
}

const document = JSON.parse(JSON.stringify(createOpenApi('1.2.3'))) as Document;
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

function refsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, field]) =>
    key === '$ref' && typeof field === 'string' ? [field] : refsIn(field),
  );
}

test('every reference resolves', () => {
  const refs = refsIn(document);
  assert.ok(refs.length > 100);
  for (const ref of new Set(refs)) {
    assert.ok(ref.startsWith('#/'), ref);
    const found = ref
      .slice(2)
      .split('/')
      .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);
    assert.ok(found, `${ref} resolves to nothing`);
  }
});

test('every component is referred to', () => {
  const used = new Set(refsIn(document));
  for (const name of Object.keys(document.components.schemas)) {
    assert.ok(used.has(`#/components/schemas/${name}`), name);
  }
});

test('every operation is there once, with its roles and its path parameters', () => {
  assert.deepEqual(
    operations.map(({ operation }) => operation.operationId).sort(),
    Object.keys(OPERATIONS).sort(),
  );
  for (const { path, method, operation } of operations) {
    const name = operation.operationId as keyof typeof OPERATIONS;
    const contract: RouteContract = ROUTES[name];
    assert.equal(
      `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
      OPERATIONS[name].join(' '),
    );
    assert.deepEqual(operation['x-roles'], contract.roles);
    assert.equal(operation.security.length, contract.roles === 'anyone' ? 0 : 1);
    const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    assert.deepEqual(
      inPath.map((parameter) => parameter.name),
      [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]),
    );
    assert.ok(inPath.every((parameter) => parameter.required));
  }
});

test('an operation that may answer without a body says so', () => {
  for (const { operation } of operations) {
    const contract: RouteContract = ROUTES[operation.operationId as keyof typeof OPERATIONS];
    assert.equal(
      '204' in operation.responses,
      contract.response === 'nothing' || contract.mayBeEmpty === true,
    );
    assert.equal('200' in operation.responses, contract.response !== 'nothing');
    assert.ok('default' in operation.responses);
  }
});

test('nouns keep their formats and refuse keys that are not theirs', () => {
  const { Instant, Story, Problem } = document.components.schemas as Record<string, Record<string, unknown>>;
  assert.equal(Instant!.format, 'date-time');
  assert.equal(Story!.additionalProperties, false);
  const { code } = Problem!.properties as { code: { enum: string[] } };
  assert.deepEqual(code.enum, Object.keys(PROBLEM_STATUS));
});

test('the document is made once, since anyone may ask for it', () => {
  assert.equal(createOpenApi('1.2.3'), createOpenApi('1.2.3'));
  assert.notDeepEqual(createOpenApi('1.2.3'), createOpenApi('1.2.4'));
});

test('a noun that reads differently as input gets a name of its own', () => {
  const Noun = z.object({ size: z.int().default(1) });
  const components = createComponents([['Noun', Noun]]);
  assert.deepEqual(components.schemaOf(Noun, 'output'), { $ref: '#/components/schemas/Noun' });
  assert.deepEqual(components.schemaOf(Noun, 'input'), { $ref: '#/components/schemas/NounInput' });
  assert.deepEqual(components.schemaOf(z.object({ noun: Noun }), 'input').properties, {
    noun: { $ref: '#/components/schemas/NounInput' },
  });
  assert.deepEqual(Object.keys(components.all()), ['Noun', 'NounInput']);
});
