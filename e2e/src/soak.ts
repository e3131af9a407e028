import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { FailpointOutcome } from './soak/failpoint-matrix.ts';
import { runFailpointMatrix } from './soak/failpoint-matrix.ts';
import { freezeThroughLease } from './soak/frozen-box.ts';
import type { RandomKills } from './soak/random-kills.ts';
import { soakStackWithKills, soakWithKills } from './soak/random-kills.ts';

/*
 * `npm run soak [-- --minutes N] [--seed N] [--only matrix,frozen,kills]`: boxes that are killed, frozen and
 * brought up again, against what they had promised. The result is in `e2e/results/soak.json`. With
 * `--docker` it is a box of containers whose services are killed, frozen and cut off, and nothing else.
 */
const ROOT = resolve(import.meta.dirname, '../..');
const RESULTS = join(ROOT, 'e2e', 'results');
const PARTS = ['matrix', 'frozen', 'kills'] as const;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string', default: PARTS.join() },
    docker: { type: 'boolean', default: false },
  },
});
const startedAt = Date.now();
const say = (text: string) =>
  console.log(`${String(Math.round((Date.now() - startedAt) / 1000)).padStart(5)} s  ${text}`);
const wants = (part: (typeof PARTS)[number]) => values.only.split(',').includes(part);

if (values.docker) {
  const soaked = await soakStackWithKills({
    seed: Number(values.seed),
    minutes: Number(values.minutes),
    say,
  });
  await mkdir(RESULTS, { recursive: true });
  const at = new Date(startedAt).toISOString();
  await writeFile(join(RESULTS, 'soak-stack.json'), `${JSON.stringify({ at, ...soaked }, null, 2)}\n`);
  console.log(JSON.stringify(soaked, null, 2));
  process.exit(soaked.findings.length === 0 ? 0 : 1);
}

let matrix: FailpointOutcome[] | null = null;
let frozen: readonly string[] | null = null;
let kills: RandomKills | null = null;

if (wants('matrix')) {
  matrix = await runFailpointMatrix(({ failpoint, problem, elapsedMs }) =>
    say(
      `${problem === null ? 'ok  ' : 'FAIL'} ${failpoint} (${(elapsedMs / 1000).toFixed(1)} s)${problem ? `\n${problem}` : ''}`,
    ),
  );
}
if (wants('frozen')) {
  frozen = await freezeThroughLease();
  say(frozen.length === 0 ? 'ok   frozen for longer than a lease' : `FAIL frozen: ${frozen.join('\n')}`);
}
if (wants('kills')) {
  kills = await soakWithKills({ seed: Number(values.seed), minutes: Number(values.minutes), say });
}

const survived = matrix?.filter((outcome) => outcome.problem === null).length ?? 0;
const findings = [
  ...(matrix ?? []).flatMap(({ failpoint, problem }) =>
    problem === null ? [] : [`${failpoint}: ${problem}`],
  ),
  ...(frozen ?? []),
  ...(kills?.findings ?? []),
];
const recoveries = [...(kills?.kills.recoveriesMs ?? [])].sort((a, b) => a - b);
const result = {
  at: new Date(startedAt).toISOString(),
  commit: execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim(),
  machine: {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryMb: Math.round(totalmem() / 1024 / 1024),
    system: `${process.platform} ${arch()} ${release()}`,
    node: process.version,
  },
  elapsedMs: Date.now() - startedAt,
  failpoints: matrix && { tried: matrix.length, survived, outcomes: matrix },
  frozen: frozen && { findings: frozen },
  randomKills: kills && {
    ...kills,
    kills: {
      ...kills.kills,
      recoveriesMs: undefined,
      recoveryMedianMs: recoveries[Math.floor(recoveries.length / 2)] ?? null,
      recoveryMaxMs: recoveries.at(-1) ?? null,
    },
  },
  ok: findings.length === 0,
};
await mkdir(RESULTS, { recursive: true });
await writeFile(join(RESULTS, 'soak.json'), `${JSON.stringify(result, null, 2)}\n`);

if (matrix) console.log(`\nfailpoints survived         ${survived} of ${matrix.length}`);
if (kills) {
  const { acknowledged, kills: counts } = kills;
  for (const [what, count] of Object.entries({
    'stories acknowledged': acknowledged.story,
    'submissions repeated': acknowledged.repeated,
    'rollbacks accepted': acknowledged.rollback,
    'cancels accepted': acknowledged.cancel,
    'retries accepted': acknowledged.retry,
    'killed with SIGKILL': counts.killed,
    'killed while starting': counts.killedWhileStarting,
    frozen: counts.frozen,
    'stopped in order': counts.stoppedInOrder,
    'up again, median ms': recoveries[Math.floor(recoveries.length / 2)] ?? '',
    'up again, longest ms': recoveries.at(-1) ?? '',
  })) {
    console.log(`${what.padEnd(28)}${count}`);
  }
}
console.log(
  findings.length === 0
    ? '\neverything held'
    : `\n${findings.length} findings:\n${findings.map((one) => `- ${one}`).join('\n')}`,
);
process.exit(findings.length === 0 ? 0 : 1);
