import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeRoutes, methodsOf } from './route-suggestions.ts';

test('a path of the contract names its methods', () => {
  assert.deepEqual(methodsOf('/v1/stories'), ['GET', 'POST']);
  assert.deepEqual(methodsOf('/v1/projects/blog'), ['DELETE', 'PUT']);
  assert.deepEqual(methodsOf('/v1/nothing'), []);
});

test('close paths are found by spelling, without their parameters', () => {
  assert.deepEqual(closeRoutes('/v1/task/task-001')[0], 'GET /v1/tasks/:taskId');
  assert.deepEqual(closeRoutes('/stories').includes('GET /v1/stories'), false);
  assert.deepEqual(closeRoutes('/v1/relases'), ['GET /v1/releases']);
  assert.deepEqual(closeRoutes('/health'), ['GET /healthz']);
});

test('a path like no other, however long, has no suggestion', () => {
  assert.deepEqual(closeRoutes(`/${'x'.repeat(100_000)}`), []);
  assert.deepEqual(closeRoutes('/'.repeat(100_000)), []);
});
