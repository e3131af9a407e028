import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import type { CommandContext, CommandResult } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { CliError } from '../failure.ts';
import { git } from '../git.ts';
import { short } from '../renderings.ts';

/** The code, out of the box: a repository with main and its history, and no remote. */
export async function clone(
  { box, config, output }: CommandContext,
  given: { readonly project: string; readonly dir: string | null },
): CommandResult {
  const dir = resolve(given.dir ?? given.project);
  const before = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new CliError('usage', `${dir} cannot be used: ${error.message}`);
  });
  if (before !== null && before.length > 0) {
    throw new CliError('usage', `${dir} is there already and not empty.`, {
      hint: `Name another place: ./dbox clone ${given.project} DIR`,
    });
  }
  const tempDir = await mkdtemp(join(tmpdir(), 'dbox-clone-'));
  let whole = false;
  try {
    const bundle = join(tempDir, 'project.bundle');
    const response = await box.raw('getProjectBundle', { params: { project: given.project } });
    if (response.status === 204 || response.body === null) {
      throw new CliError('failed', `${given.project} is empty: nothing has landed on its main yet.`);
    }
    await pipeline(Readable.fromWeb(response.body as NodeReadableStream), createWriteStream(bundle));
    const call = { config, cwd: tempDir };
    const ref = chooseRef(await git(['bundle', 'list-heads', bundle], call));
    await mkdir(dir, { recursive: true });
    const inDir = { config, cwd: dir };
    await git(['init', '--quiet', '-b', 'main'], inDir);
    await git(['fetch', '--quiet', '--no-tags', bundle, `${ref}:refs/dbox/main`], inDir);
    await git(['reset', '--quiet', '--hard', 'refs/dbox/main'], inDir);
    await git(['update-ref', '-d', 'refs/dbox/main'], inDir);
    const commit = (await git(['rev-parse', 'HEAD'], inDir)).trim();
    whole = true;
    output.note(`The code of ${given.project} at ${short(commit)}:`);
    output.answer(dir);
    output.answerJson({ project: given.project, dir, commit });
    return EXIT.ok;
  } finally {
    await rm(tempDir, { recursive: true, force: true });
    if (!whole) await removeHalf(dir, before === null);
  }
}

/** Main under whichever of its names the bundle has it. */
export function chooseRef(heads: string): string {
  const refs = heads
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((ref) => ref !== '');
  const ref = ['HEAD', 'refs/heads/main', 'refs/heads/dbox'].find((name) => refs.includes(name)) ?? refs[0];
  if (ref === undefined) throw new CliError('failed', 'The bundle that the box sent holds no branch.');
  return ref;
}

async function removeHalf(dir: string, made: boolean): Promise<void> {
  if (made) return rm(dir, { recursive: true, force: true });
  for (const name of await readdir(dir).catch(() => [])) {
    await rm(join(dir, name), { recursive: true, force: true });
  }
}
