import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { createOpenApi } from '../manager/src/http/openapi.ts';
import { generateSchemas } from './generate-schemas.ts';
import { generateStateMachines } from './generate-state-machines.ts';

/**
 * Writes what is made from the contracts and the lifecycle tables. `--check` writes nothing and fails
 * with the names of the files that are no longer what their sources say.
 */
const root = join(import.meta.dirname, '..');
const SCHEMA_DIR = 'specs/schema';

const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
const wanted = new Map<string, string>([
  ['docs/openapi.json', jsonText(createOpenApi(version))],
  ['docs/state-machines.md', generateStateMachines()],
  ...generateSchemas().map(({ noun, schema }) => [`${SCHEMA_DIR}/${noun}.json`, jsonText(schema)] as const),
]);

const drifted: string[] = [];
for (const [path, text] of wanted) {
  if ((await readIfThere(join(root, path))) !== text) drifted.push(path);
}
const leftOver = (await readdir(join(root, SCHEMA_DIR)).catch(() => []))
  .map((name) => `${SCHEMA_DIR}/${name}`)
  .filter((path) => path.endsWith('.json') && !wanted.has(path));

if (process.argv.includes('--check')) {
  for (const path of drifted) console.error(`${path} is not what its sources say`);
  for (const path of leftOver) console.error(`${path} has no source any more`);
  if (drifted.length + leftOver.length > 0) {
    console.error('Run `npm run generate` and commit what it writes.');
    process.exitCode = 1;
  }
} else {
  for (const path of drifted) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), wanted.get(path)!);
    console.log(`wrote ${relative(process.cwd(), join(root, path))}`);
  }
  for (const path of leftOver) {
    await rm(join(root, path));
    console.log(`removed ${relative(process.cwd(), join(root, path))}`);
  }
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
