import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { resolve } from 'node:path';

/*
 * `npm test`: every unit and integration test of every room, by node's own runner.
 * `npm test -- manager sandbox` runs those rooms alone; `npm test -- --unit` leaves out what starts
 * processes, sandboxes or git; `--seed=random` (or a number) draws other cases for property tests.
 */
const ROOT = resolve(import.meta.dirname, '..');
/** Two cores: more files at once only makes each slower, and timing-sensitive ones unfair. */
const CONCURRENCY = 2;
const FILE_LIMIT_MS = 300_000;

const args = process.argv.slice(2);
const seed = args.find((arg) => arg.startsWith('--seed='))?.slice('--seed='.length);
const unitOnly = args.includes('--unit');
const rooms = args.filter((arg) => !arg.startsWith('--'));
const patterns = (rooms.length > 0 ? rooms : ['*', 'agents/*']).map((room) => `${room}/src/**/*.test.ts`);
const files = globSync(patterns, { cwd: ROOT })
  .filter((file) => !file.includes('node_modules') && !(unitOnly && file.endsWith('.int.test.ts')))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${patterns.join(' ')}`);
  process.exit(1);
}

const child = spawn(
  process.execPath,
  [
    '--no-warnings',
    '--import=./scripts/test-seed.ts',
    '--test',
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${FILE_LIMIT_MS}`,
    `--test-reporter=${process.env.DBOX_TEST_REPORTER ?? './scripts/test-reporter.ts'}`,
    '--test-reporter-destination=stdout',
    ...files,
  ],
  {
    cwd: ROOT,
    env: { ...process.env, ...(seed === undefined ? {} : { DBOX_TEST_SEED: seed }) },
    stdio: ['ignore', 'inherit', 'inherit'],
  },
);
child.once('exit', (code) => process.exit(code ?? 1));
