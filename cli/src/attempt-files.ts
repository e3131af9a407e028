import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { AttachedFile, Attachment } from '@dbox/contracts';

/** More than this is no recorded attempt but, most likely, an installed node_modules. */
const MAX_FILES = 5_000;

/** An attempt that cannot be sent; whoever knows the spec adds where it is named. */
export class AttachmentError extends Error {
  override readonly name = 'AttachmentError';
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** Counts down over all attempts of one submission. */
export interface AttachmentBudget {
  leftBytes: number;
}

/** A directory with all its files but `.git`, or a patch file. Links out of the directory are never followed. */
export async function readAttempt(
  attempt: string,
  specDir: string,
  budget: AttachmentBudget,
): Promise<Attachment> {
  const path = resolve(specDir, attempt);
  const found = await stat(path).catch(() => null);
  if (found === null) {
    throw new AttachmentError(
      `the attempt "${attempt}" does not exist`,
      `Attempts are directories or patch files beside the spec file; looked for ${path}.`,
    );
  }
  if (found.isFile()) {
    return { attempt, kind: 'patch', files: [await readAttached(path, attempt, false, budget)] };
  }
  if (!found.isDirectory()) {
    throw new AttachmentError(
      `the attempt "${attempt}" is no file and no directory`,
      'Give a directory or a patch file.',
    );
  }
  const files: AttachedFile[] = [];
  await readTree(path, '', attempt, files, budget);
  return { attempt, kind: 'directory', files };
}

async function readTree(
  root: string,
  below: string,
  attempt: string,
  files: AttachedFile[],
  budget: AttachmentBudget,
): Promise<void> {
  const names = (await readdir(join(root, below))).sort();
  for (const name of names) {
    if (name === '.git') continue;
    const path = below === '' ? name : `${below}/${name}`;
    const found = await lstat(join(root, path));
    if (found.isDirectory()) {
      await readTree(root, path, attempt, files, budget);
    } else if (found.isFile()) {
      if (files.length >= MAX_FILES) {
        throw new AttachmentError(
          `the attempt "${attempt}" has more than ${MAX_FILES} files`,
          'Leave out what is installed or built, such as node_modules.',
        );
      }
      files.push(await readAttached(join(root, path), path, (found.mode & 0o111) !== 0, budget));
    } else {
      throw new AttachmentError(
        `"${path}" in the attempt "${attempt}" is a symbolic link or a special file`,
        'An attempt holds plain files and directories; put a copy there.',
      );
    }
  }
}

async function readAttached(
  file: string,
  path: string,
  executable: boolean,
  budget: AttachmentBudget,
): Promise<AttachedFile> {
  budget.leftBytes -= (await stat(file)).size;
  if (budget.leftBytes < 0) {
    throw new AttachmentError(
      'the attempts are together larger than 32 MiB',
      'Leave out what is installed or built, such as node_modules.',
    );
  }
  return { path, contentBase64: (await readFile(file)).toString('base64'), executable };
}
