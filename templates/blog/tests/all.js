/*
 * Every test file in one process: starting one for each, as `node --test` does, takes longer than
 * the tests themselves. `node --test tests/` works as well.
 */
import { readdirSync } from 'node:fs';

const names = readdirSync(new URL('.', import.meta.url));
for (const name of names.filter((name) => name.endsWith('.test.js')).sort()) await import(`./${name}`);
