import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createManualClock } from '@dbox/agent-sdk/testing';
import type { Watch } from '@dbox/contracts';
import { createWatchBoard } from './watch-board.ts';

function makeWatch(releaseId: string, parts: Partial<Watch> = {}): Watch {
  return {
    project: 'demo',
    environment: 'dev',
    releaseId,
    port: 8080,
    checks: [],
    intervalMs: 10_000,
    ...parts,
  };
}

function makeBoard() {
  const opened: string[] = [];
  const rounds: { releaseId: string; port: number; signal: AbortSignal }[] = [];
  const board = createWatchBoard({
    clock: createManualClock(),
    warn: () => undefined,
    openRounds: (releaseId) => {
      opened.push(releaseId);
      return async ({ watch, signal }) => {
        rounds.push({ releaseId, port: watch.port, signal });
      };
    },
  });
  return { board, opened, rounds };
}

test('without a watch nothing is opened', async () => {
  const { board, opened } = makeBoard();
  board.apply([]);
  await turn();
  assert.deepEqual(opened, []);
  await board.stop();
});

test('a new release is looked at at once and the former one no more', async () => {
  const { board, rounds } = makeBoard();
  board.apply([makeWatch('rel_1')]);
  await turn();
  board.apply([makeWatch('rel_2')]);
  await turn();
  assert.deepEqual(
    rounds.map(({ releaseId }) => releaseId),
    ['rel_1', 'rel_2'],
  );
  assert.equal(rounds[0]!.signal.aborted, true);
  assert.equal(rounds[1]!.signal.aborted, false);
  await board.stop();
});

test('the same watch in a later revision goes on and is not looked at again', async () => {
  const { board, opened, rounds } = makeBoard();
  board.apply([makeWatch('rel_1')]);
  await turn();
  board.apply([makeWatch('rel_1', { port: 8081 }), makeWatch('rel_9', { project: 'other' })]);
  await turn();
  assert.deepEqual(opened, ['rel_1', 'rel_9']);
  assert.equal(rounds.length, 2);
  await board.stop();
});

test('after stop nothing starts', async () => {
  const { board, opened, rounds } = makeBoard();
  board.apply([makeWatch('rel_1')]);
  await turn();
  await board.stop();
  assert.equal(rounds[0]!.signal.aborted, true);
  board.apply([makeWatch('rel_2')]);
  await turn();
  assert.deepEqual(opened, ['rel_1']);
  await board.stop();
});
