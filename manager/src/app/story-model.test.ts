import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { verifyLedger } from '../adapters/store-sql/index.ts';
import { StoryInvariants } from './testing/story-invariants.ts';
import type { Command } from './testing/story-player.ts';
import { OFTEN, StoryPlayer } from './testing/story-player.ts';
import { World } from './testing/world.ts';

/** About ten seconds; a soak raises it to thousands. */
const RUNS = 20;
/** Making a failure small takes long; what has been found by then is told. */
const MOST_MS = 60_000;

const words = Object.entries(OFTEN).flatMap(([what, often]) =>
  Array.from({ length: often }, () => what as Command['what']),
);
// Small numbers are no likelier than others: they mean ways, not sizes.
const number = fc.noBias(fc.nat(839));
const command: fc.Arbitrary<Command> = fc.record({
  what: fc.noBias(fc.constantFrom(...words)),
  which: number,
  how: number,
});

test('whatever agents and people do in whatever order, the promises hold and nothing waits for ever', async () => {
  await fc.assert(
    fc.asyncProperty(
      number,
      fc.array(command, { minLength: 40, maxLength: 70, size: 'max' }),
      async (how, commands) => {
        const world = await World.open();
        try {
          const player = new StoryPlayer(world);
          const invariants = new StoryInvariants(world);
          await player.play({ what: 'submit', which: 0, how });
          for (const one of commands) {
            await player.play(one);
            await invariants.check();
          }
          await player.settle();
          await invariants.check();
          await invariants.checkSettled();
          const ledger = await verifyLedger(world.context.store, { headFile: null });
          assert.equal(ledger.problem, null);
        } finally {
          await world.close();
        }
      },
    ),
    { numRuns: RUNS, interruptAfterTimeLimit: MOST_MS, markInterruptAsFailure: false },
  );
});
