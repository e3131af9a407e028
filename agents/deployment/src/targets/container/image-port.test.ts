import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choosePort } from './image-port.ts';

const portOf = (planned: number | null, ...exposed: string[]) => {
  const choice = choosePort({ planned, exposed });
  return choice.ok ? choice.port : choice.detail;
};

test('the plan’s port counts, then the one that the image exposes, then PORT', () => {
  assert.equal(portOf(3000, '8080/tcp'), 3000);
  assert.equal(portOf(null, '3000/tcp', '53/udp'), 3000);
  assert.equal(portOf(null), 8080);
  assert.equal(portOf(null, '9000/tcp', '8080/tcp'), 8080);
});

test('of several exposed ports a person must choose', () => {
  assert.match(String(portOf(null, '3000/tcp', '9000/tcp')), /exposes 3000, 9000.*`port: 3000`/);
});

test('a plan that names another port than the image says so once it is silent', () => {
  const choice = choosePort({ planned: 8080, exposed: ['3000/tcp'] });
  assert.ok(choice.ok);
  assert.match(choice.whySilent ?? '', /`port: 8080`, and the image exposes 3000/);
});
