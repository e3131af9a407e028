import type { FileHandle } from 'node:fs/promises';
import { mkdir, readdir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProblemError } from '@dbox/contracts';
import { BundleRefusedError } from '../../ports/repositories.ts';
import { syncDirectory } from '../durable-file.ts';
import type { GitProgram } from './git-process.ts';
import { failure, runGit } from './git-process.ts';

/** A pack of the largest bundle is indexed in well under a minute; two machines' worth of patience. */
const UNPACK_TIMEOUT_MS = 120_000;
/** A pack that could not be taken in while less than this was free is laid to the disk, not to the bundle. */
const FULL_DISK_BYTES = 16 * 1024 * 1024;

/** Objects that were sent but not yet accepted: git sees them beside the repository's own, the repository does not see them. */
export interface Quarantine {
  /** For git calls that shall see what was sent. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes in the pack that begins where `file` stands, with git's own check of every object. */
  unpack(file: FileHandle, maxBytes: number): Promise<void>;
  /** Gives the objects to the repository; durable when it resolves, and harmless if repeated. */
  accept(): Promise<void>;
  dispose(): Promise<void>;
}

/** `directory` lies two levels below the repository, as the alternates file says. */
export async function openQuarantine(
  program: GitProgram,
  gitDir: string,
  directory: string,
): Promise<Quarantine> {
  const packs = join(directory, 'pack');
  await mkdir(packs, { recursive: true });
  await mkdir(join(directory, 'info'));
  await writeFile(join(directory, 'info', 'alternates'), '../../objects\n');
  const env = { GIT_OBJECT_DIRECTORY: directory };

  return {
    env,
    async unpack(file, maxBytes) {
      const call = {
        args: [
          'index-pack',
          '--stdin',
          '--strict',
          '--fix-thin',
          '--threads=1',
          `--max-input-size=${maxBytes}`,
        ],
        gitDir,
        env,
        stdin: { fd: file.fd },
        timeoutMs: UNPACK_TIMEOUT_MS,
        limitMemory: true,
      };
      const outcome = await runGit(program, call);
      if (outcome.exitCode === 0) return;
      const { bavail, bsize } = await statfs(gitDir);
      if (bavail * bsize < FULL_DISK_BYTES) {
        const detail =
          'The disk is full, so the commit was not taken in. Free some space, then send it again.';
        throw new ProblemError('disk_full', detail, { cause: failure(call, outcome) });
      }
      throw new BundleRefusedError(`git does not accept the objects of the bundle: ${lastWords(outcome)}`);
    },

    async accept() {
      const names = await readdir(packs);
      // A pack counts once its index is there, so the index goes last.
      names.sort((a, b) => Number(a.endsWith('.idx')) - Number(b.endsWith('.idx')));
      const target = join(gitDir, 'objects', 'pack');
      for (const name of names) {
        if (/^pack-[0-9a-f]+\.(?:pack|rev|idx)$/.test(name))
          await rename(join(packs, name), join(target, name));
      }
      await syncDirectory(target);
    },

    async dispose() {
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** git's reason in one line. Its text may quote names from the bundle, so it is cut and cleaned. */
function lastWords(outcome: { readonly stderr: string; readonly timedOut: boolean }): string {
  if (outcome.timedOut) return 'they took too long to check';
  const lines = outcome.stderr.split('\n').filter((line) => /^(?:fatal|error):/.test(line));
  const words = (lines.length > 0 ? lines.slice(0, 3).join('; ') : 'git ended without a reason')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must go.
    .replaceAll(/[\x00-\x1f\x7f]/g, '?');
  return words.length > 300 ? `${words.slice(0, 300)}…` : words;
}
