import { availableParallelism } from 'node:os';
import { Box } from './box.ts';
import type { Scenario } from './scenario.ts';
import { Skipped } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

/*
 * `npm run e2e [words]`: scenarios on real boxes, through the `dbox` command alone. Words choose
 * those whose names hold them all. `--keep` leaves a failed scenario's directory in place.
 */
const args = process.argv.slice(2);
const keep = args.includes('--keep');
const words = args.filter((arg) => !arg.startsWith('--'));
const chosen = SCENARIOS.filter((scenario) => words.every((word) => scenario.name.includes(word)));
const queue = [...chosen];
let passed = 0;
let failed = 0;
let skipped = 0;

async function runOne(scenario: Scenario): Promise<void> {
  const startedAt = Date.now();
  const box = await Box.make(scenario.env);
  let problem: unknown = null;
  try {
    await scenario.run(box);
  } catch (error) {
    problem = error;
  }
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  if (problem === null) {
    passed += 1;
    console.log(`ok   ${scenario.name} (${seconds} s)`);
  } else if (problem instanceof Skipped) {
    skipped += 1;
    console.log(`skip ${scenario.name}: ${problem.message}`);
  } else {
    failed += 1;
    const log = await box.dbox(['logs', 'manager']).catch(() => null);
    console.log(
      `FAIL ${scenario.name} (${seconds} s)\n${problem instanceof Error ? problem.stack : String(problem)}`,
    );
    console.log(
      `  in ${box.directory}${keep ? '' : ' (removed; --keep keeps it)'}\n${log?.stdout.split('\n').slice(-15).join('\n')}`,
    );
  }
  await box.close({ keep: keep && problem !== null });
}

async function worker(): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) await runOne(next);
}

await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
if (chosen.length === 0) console.log(`no scenario is named with: ${words.join(' ')}`);
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
process.exit(failed === 0 && passed + skipped > 0 ? 0 : 1);
