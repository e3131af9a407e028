import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { SERVICES } from './compose.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const dockerfile = readFileSync(join(ROOT, 'deploy/images/Dockerfile'), 'utf8');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const rooms: readonly string[] = JSON.parse(read('package.json')).workspaces;
const manifestOf = (room: string) =>
  JSON.parse(read(`${room}/package.json`)) as { name: string; dependencies?: Record<string, string> };
const roomOf = new Map(rooms.map((room) => [manifestOf(room).name, room]));

const roomOfService = (service: string) =>
  service.endsWith('-agent') ? `agents/${service.replace('-agent', '')}` : service;

/** A room and all rooms it imports, by what its manifest says. */
function closureOf(room: string, found = new Set<string>()): Set<string> {
  if (found.has(room)) return found;
  found.add(room);
  for (const name of Object.keys(manifestOf(room).dependencies ?? {})) {
    const below = roomOf.get(name);
    if (below !== undefined) closureOf(below, found);
  }
  return found;
}

function stageOf(target: string): string {
  const stage = dockerfile.split(/^FROM /m).find((text) => text.split('\n')[0]?.endsWith(` AS ${target}`));
  assert.ok(stage, `there is no target ${target}`);
  return stage;
}

for (const service of SERVICES) {
  test(`the image of ${service} holds the rooms it imports, and no other`, () => {
    const copied = [...stageOf(service).matchAll(/^COPY (\S+) \1$/gm)].map((match) => match[1]!);
    const wanted = [...closureOf(roomOfService(service))];
    assert.deepEqual(copied.filter((one) => one !== 'templates').sort(), wanted.sort());
  });
}

test('no frontend of the builder has to be pulled, and nothing is built from what is not named', () => {
  assert.doesNotMatch(dockerfile, /^# *syntax=/m);
  assert.equal(
    read('.dockerignore')
      .split('\n')
      .find((line) => !line.startsWith('#')),
    '**',
  );
});
