import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  IllegalTransitionError,
  INCIDENT_TRANSITIONS,
  JOB_TRANSITIONS,
  moveIncident,
  moveJob,
  moveRelease,
  moveStory,
  moveTask,
  RELEASE_TRANSITIONS,
  STORY_TRANSITIONS,
  TASK_TRANSITIONS,
} from './lifecycles.ts';

type Table = Readonly<Record<string, Readonly<Record<string, string>>>>;
type Move = (record: { id: string; status: never }, to: never) => { id: string; status: string };

const LIFECYCLES: readonly { noun: string; table: Table; move: Move; first: string; ends: string[] }[] = [
  { noun: 'story', table: STORY_TRANSITIONS as Table, move: moveStory as Move, first: 'received', ends: [] },
  {
    noun: 'task',
    table: TASK_TRANSITIONS as Table,
    move: moveTask as Move,
    first: 'created',
    ends: ['cancelled'],
  },
  {
    noun: 'job',
    table: JOB_TRANSITIONS as Table,
    move: moveJob as Move,
    first: 'queued',
    ends: ['succeeded', 'failed', 'cancelled'],
  },
  {
    noun: 'release',
    table: RELEASE_TRANSITIONS as Table,
    move: moveRelease as Move,
    first: 'queued',
    ends: ['stopped'],
  },
  {
    noun: 'incident',
    table: INCIDENT_TRANSITIONS as Table,
    move: moveIncident as Move,
    first: 'open',
    ends: ['resolved'],
  },
];

for (const { noun, table, move, first, ends } of LIFECYCLES) {
  const statuses = Object.keys(table);

  test(`every status of a ${noun} is reached from ${first}, and only the ends have no way on`, () => {
    const reached = new Set([first]);
    for (const from of reached) for (const to of Object.keys(table[from]!)) reached.add(to);
    assert.deepEqual([...reached].sort(), [...statuses].sort());
    assert.deepEqual(
      statuses.filter((from) => Object.keys(table[from]!).length === 0).sort(),
      [...ends].sort(),
    );
  });

  test(`a ${noun} moves as the table says, and any other move throws and names both states`, () => {
    for (const from of statuses) {
      for (const to of statuses) {
        const record = { id: 'x', status: from as never };
        if (table[from]![to] !== undefined) {
          assert.equal(move(record, to as never).status, to);
          continue;
        }
        assert.throws(
          () => move(record, to as never),
          (error) =>
            error instanceof IllegalTransitionError &&
            error.message === `${noun} x is ${from} and cannot become ${to}`,
        );
      }
    }
  });
}

test('a release that has been asked for the traffic can no longer be withdrawn', () => {
  assert.deepEqual(Object.keys(RELEASE_TRANSITIONS.baking), ['live']);
});
