import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routeKeyOf } from './route-table.ts';

const cases: readonly [host: string | undefined, key: string][] = [
  ['shop.localhost', 'shop/dev'],
  ['shop.localhost:8081', 'shop/dev'],
  ['SHOP.localhost.', 'shop/dev'],
  ['production.shop.localhost', 'shop/production'],
  ['dev.shop.localhost', 'shop/dev'],
  ['devsite:8080', 'own/dev'],
  ['localhost', 'own/dev'],
  ['127.0.0.1:8080', 'own/dev'],
  ['[::1]:8080', 'own/dev'],
  ['blog.example.org', 'own/dev'],
  [undefined, 'own/dev'],
];
for (const [host, key] of cases) {
  test(`the host ${host ?? '(none)'} means the route ${key}`, () => {
    assert.equal(routeKeyOf(host, 'own/dev'), key);
  });
}

test('a name with too many labels is no route rather than somebody else’s', () => {
  assert.notEqual(routeKeyOf('a.b.c.localhost', 'own/dev'), 'own/dev');
  assert.notEqual(routeKeyOf('a.b.c.localhost', 'own/dev'), 'b/a');
});
