import { availableParallelism } from 'node:os';
import type { Mode } from './box.ts';
import { Box } from './box.ts';
import type { Scenario } from './scenario.ts';
import { SHARED, Skipped } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { removeAbandoned } from './stack.ts';

/*
 * `npm run e2e [words]`: scenarios on real boxes, through the `dbox` command alone. Words choose
 * those whose names hold them all. `--docker` takes boxes of containers. `--keep` leaves a failed
 * scenario's directory (and containers) in place.
 */
const args = process.argv.slice(2);
const keep = args.includes('--keep');
const mode: Mode = args.includes('--docker') ? 'docker' : 'process';
const words = args.filter((arg) => !arg.startsWith('--'));
const chosen = SCENARIOS.filter(
  (scenario) =>
    (scenario.modes ?? ['process']).includes(mode) && words.every((word) => scenario.name.includes(word)),
);
/** Closed when the run is broken off; a box leaves this set with its own end. */
const open = new Set<Box>();
const seen = { passed: 0, failed: 0, skipped: 0 };

/** Returns whether the box may go on to be used: after a failure nobody knows in which state it is. */
async function runOne(scenario: Scenario, box: Box): Promise<boolean> {
  const startedAt = Date.now();
  let problem: unknown = null;
  try {
    await scenario.run(box);
  } catch (error) {
    problem = error;
  }
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  if (problem === null) {
    seen.passed += 1;
    console.log(`ok   ${scenario.name} (${seconds} s)`);
    return true;
  }
  if (problem instanceof Skipped) {
    seen.skipped += 1;
    console.log(`skip ${scenario.name}: ${problem.message}`);
    return true;
  }
  seen.failed += 1;
  console.log(
    `FAIL ${scenario.name} (${seconds} s)\n${problem instanceof Error ? problem.stack : String(problem)}`,
  );
  console.log(`  in ${box.directory}${keep ? '' : ' (removed; --keep keeps it)'}\n${await logsOf(box)}`);
  return false;
}

async function logsOf(box: Box): Promise<string> {
  if (box.stack !== null) return box.stack.lastLines(15).catch(String);
  const log = await box.dbox(['logs', 'manager']).catch(() => null);
  return log?.stdout.split('\n').slice(-15).join('\n') ?? '';
}

async function openBox(env: Readonly<Record<string, string>> | undefined): Promise<Box> {
  const box = mode === 'docker' ? await Box.makeStack(env) : await Box.make(env);
  open.add(box);
  return box;
}

async function closeBox(box: Box, isGood: boolean): Promise<void> {
  await box.close({ keep: keep && !isGood });
  open.delete(box);
}

async function runAlone(scenario: Scenario): Promise<void> {
  const box = await openBox(scenario.env);
  await closeBox(box, await runOne(scenario, box));
}

/** One after the other on one stack; what follows a failure gets a new one. */
async function runInTurn(scenarios: readonly Scenario[]): Promise<void> {
  const env = envOf(scenarios);
  let box: Box | null = null;
  for (const scenario of scenarios) {
    box ??= await openBox(env);
    if (await runOne(scenario, box)) continue;
    await closeBox(box, false);
    box = null;
  }
  if (box !== null) await closeBox(box, true);
}

/** Several at once on one stack, which is brought up by the first and closed by the last. */
function shareStack(scenarios: readonly Scenario[]): (() => Promise<void>)[] {
  let box: Promise<Box> | null = null;
  let left = scenarios.length;
  let isGood = true;
  return scenarios.map((scenario) => async () => {
    box ??= openBox(envOf(scenarios)).then(async (made) => {
      await made.ok(['up']);
      return made;
    });
    const whole = await box;
    const own = await whole.share();
    const isFine = await runOne(scenario, own);
    isGood &&= isFine;
    if (isFine || !keep) await own.removeDirectory();
    left -= 1;
    if (left === 0) await closeBox(whole, isGood);
  });
}

function envOf(scenarios: readonly Scenario[]): Record<string, string> {
  return Object.assign({}, ...scenarios.map((scenario) => scenario.env ?? {}));
}

/** Stacks whose scenarios measure, or end every container there is: nothing else runs beside them. */
const ALONE = ['switching', 'engine'];

/** What may run side by side, and what comes after it, one by one. */
function plan(): { readonly together: (() => Promise<void>)[]; readonly last: (() => Promise<void>)[] } {
  if (mode === 'process') {
    return { together: chosen.map((scenario) => () => runAlone(scenario)), last: [] };
  }
  const stacks = Map.groupBy(chosen, (scenario) => scenario.stack ?? SHARED);
  const shared = stacks.get(SHARED) ?? [];
  const others = [...stacks].filter(([name]) => name !== SHARED && !ALONE.includes(name));
  return {
    together: [
      ...others.map(
        ([, scenarios]) =>
          () =>
            runInTurn(scenarios),
      ),
      ...shareStack(shared),
    ],
    last: ALONE.map((name) => () => runInTurn(stacks.get(name) ?? [])),
  };
}

async function runAll(queue: (() => Promise<void>)[], workers: number): Promise<void> {
  async function work(): Promise<void> {
    for (let next = queue.shift(); next; next = queue.shift()) {
      await next().catch((error: unknown) => {
        seen.failed += 1;
        console.log(`FAIL ${error instanceof Error ? error.stack : String(error)}`);
      });
    }
  }
  await Promise.all(Array.from({ length: workers }, work));
}

/** Also after Ctrl-C nothing is left of what was made. */
async function cleanUp(): Promise<void> {
  await Promise.all([...open].map((box) => closeBox(box, false).catch(() => box.stack?.removeAll())));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    console.log(`broken off by ${signal}: removing what was made`);
    cleanUp().finally(() => process.exit(130));
  });
}
if (mode === 'docker') removeAbandoned();
const { together, last } = plan();
await runAll(together, Math.min(2, availableParallelism()));
await runAll(last, 1);
await cleanUp();
if (chosen.length === 0) console.log(`no scenario is named with: ${words.join(' ')}`);
const { passed, failed, skipped } = seen;
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
process.exit(failed === 0 && passed + skipped > 0 ? 0 : 1);
