import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

/** `npm run check`: everything that can be said of the code without running it. Each part says how long it took. */
const ROOT = resolve(import.meta.dirname, '..');
const bin = (name: string) => resolve(ROOT, 'node_modules/.bin', name);

const parts: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: 'format and lint', command: [bin('biome'), 'ci', '--colors=off', '.'] },
  { name: 'types', command: [bin('tsc'), '-p', '.'] },
  {
    name: 'boundaries',
    command: [bin('depcruise'), '--config', '.dependency-cruiser.cjs', '--output-type', 'err', '.'],
  },
  { name: 'dead code', command: [bin('knip'), '--no-progress'] },
  {
    name: 'drift of generated files',
    command: [process.execPath, '--no-warnings', 'scripts/generate.ts', '--check'],
  },
];

const only = process.argv.slice(2);
let failed = 0;
for (const part of parts.filter((one) => only.length === 0 || only.includes(one.name))) {
  const startedAt = Date.now();
  const [command, ...args] = part.command;
  const run = spawnSync(command!, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    maxBuffer: 64 * 1024 * 1024,
  });
  const ok = run.status === 0;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${part.name} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
  if (ok) continue;
  failed += 1;
  console.log(`${run.stdout}${run.stderr}${run.error ? String(run.error) : ''}`);
}
process.exit(failed === 0 ? 0 : 1);
