import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATIONS } from '@dbox/contracts';
import { UnsupportedPathError } from 'hono/router';
import { TrieRouter } from 'hono/router/trie-router';
import { SegmentRouter } from './segment-router.ts';

function foundBy(router: SegmentRouter<string> | TrieRouter<string>, method: string, path: string) {
  const [found] = router.match(method, path);
  return found.map(([handler, params]) => [handler, { ...params }]);
}

test("every route of the contract is found as Hono's own router finds it", () => {
  const own = new SegmentRouter<string>();
  const general = new TrieRouter<string>();
  for (const [operation, [method, path]] of Object.entries(OPERATIONS)) {
    own.add(method, path, operation);
    general.add(method, path, operation);
  }
  const paths = Object.values(OPERATIONS).map(([, path]) => path.replaceAll(/:(\w+)/g, 'value-of-$1'));
  const strange = [
    '/',
    '',
    '//',
    '/v1',
    '/v1/stories/',
    '/v1/stories//cancel',
    '/v1/jobs/lease/result',
    '/v1/jobs/x/y',
  ];
  for (const path of [...paths, ...strange]) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']) {
      assert.deepEqual(foundBy(own, method, path), foundBy(general, method, path), `${method} ${path}`);
    }
  }
});

test('a path with wildcards or options is left to another router', () => {
  const router = new SegmentRouter<string>();
  for (const path of ['/*', '/a/:b{[0-9]+}', '/a/:b?'])
    assert.throws(() => router.add('GET', path, 'x'), UnsupportedPathError);
  assert.throws(() => router.add('ALL', '/a', 'x'), UnsupportedPathError);
});
