import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import type { Figure } from './figures.ts';
import { printTable } from './figures.ts';
import { measureBox } from './measure-box.ts';
import { measureClaims } from './measure-claims.ts';
import { measureHandOff } from './measure-hand-off.ts';

/*
 * `npm run bench`: a table on stdout and the same as JSON in `bench/results/latest.json`.
 * `-- --json` prints the JSON alone; `-- box` and `-- claims` measure those alone, and keep no result. Figures of one machine and one run: quote ratios.
 */
const json = process.argv.includes('--json');
const note = (text: string) => json || console.error(text);
const figures: Figure[] = [];
const only = process.argv.slice(2).find((arg) => !arg.startsWith('--'));
if (only !== 'claims') {
  note('a box, its stories and its idle time …');
  figures.push(...(await measureBox()));
}
if (only !== 'box') {
  note('hand-off …');
  figures.push(...(await measureHandOff()));
}
for (const agents of only === 'box' ? [] : [1, 8, 64]) {
  note(`lease and complete, ${agents} …`);
  figures.push(await measureClaims(agents));
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
