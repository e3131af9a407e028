import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { hasEngine } from './bare-engine.ts';
import type { Figure } from './figures.ts';
import { printTable } from './figures.ts';
import { measureBox } from './measure-box.ts';
import { measureClaims } from './measure-claims.ts';
import { measureHandOff } from './measure-hand-off.ts';
import { measureStack } from './measure-stack.ts';
import { startPostgres } from './postgres-server.ts';

/*
 * `npm run bench`: a table on stdout and the same as JSON in `bench/results/latest.json`.
 * `-- --json` prints the JSON alone; `-- box`, `-- stack`, `-- claims` and `-- postgres` measure those alone, and
 * keep no result. Figures of one machine and one run: quote ratios.
 */
const json = process.argv.includes('--json');
const note = (text: string) => {
  if (!json) console.error(text);
};
const figures: Figure[] = [];
const only = process.argv.slice(2).find((arg) => !arg.startsWith('--'));
if (only === undefined || only === 'stack') {
  if (await hasEngine()) figures.push(...(await measureStack(note)));
  else if (only === 'stack') throw new Error('there is no container engine: `./dbox doctor` says what to do');
  else note('no container engine: the stack is not measured');
}
if (only === undefined || only === 'box') {
  note('a box, its stories and its idle time …');
  figures.push(...(await measureBox()));
}
if (only === undefined || only === 'claims') {
  note('hand-off …');
  figures.push(...(await measureHandOff()));
}
const AGENTS = [1, 8, 64];
for (const agents of only === undefined || only === 'claims' ? AGENTS : []) {
  note(`lease and complete, ${agents} …`);
  figures.push(await measureClaims(agents, null));
}
const postgres = only === undefined || only === 'postgres' ? await startPostgres() : null;
try {
  for (const agents of postgres === null ? [] : AGENTS) {
    note(`lease and complete on Postgres, ${agents} …`);
    figures.push(await measureClaims(agents, postgres));
  }
} finally {
  await postgres?.stop();
}
const result = {
  at: new Date().toISOString(),
  machine: { cores: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version },
  figures,
};
if (only === undefined) {
  const directory = resolve(import.meta.dirname, '../results');
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'latest.json'), `${JSON.stringify(result, null, 2)}\n`);
}
if (json) console.log(JSON.stringify(result, null, 2));
else printTable(figures);
