import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, readdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { MAX_ARTIFACT_BYTES } from '@dbox/contracts';

export interface CollectedArtifact {
  readonly name: string;
  readonly file: string;
  readonly mediaType: string;
}

/** Enough for a report with its pages; a whole build belongs in the commit. */
const MOST_FILES = 200;
const MOST_BYTES = 256 * 1024 * 1024;

const MEDIA_TYPES: Readonly<Record<string, string | undefined>> = {
  '.html': 'text/html',
  '.json': 'application/json',
  '.xml': 'application/xml',
  '.txt': 'text/plain',
  '.log': 'text/plain',
  '.md': 'text/markdown',
  '.csv': 'text/csv',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.svg': 'image/svg+xml',
  '.pdf': 'application/pdf',
};

/**
 * Copies the files at these paths out of the tree, for upload after all entries have run (each begins
 * with a reset tree). Nothing may be running in the tree. A path that leaves the tree, a link on the
 * way, what is no plain file and what is too large is refused, with the reason.
 */
export async function collectArtifacts(o: {
  readonly tree: string;
  readonly paths: readonly string[];
  readonly into: string;
}): Promise<{ readonly artifacts: CollectedArtifact[]; readonly refusals: string[] }> {
  const artifacts = new Map<string, CollectedArtifact>();
  const refusals: string[] = [];
  let bytes = 0;
  await mkdir(o.into, { recursive: true });
  for (const path of o.paths) {
    const clean = normalise(path);
    if (clean === null) {
      refusals.push(`${path}: an artifact must be a relative path inside the checkout`);
      continue;
    }
    for (const { file, refusal, sizeBytes } of await findFiles(o.tree, clean)) {
      if (refusal !== null) {
        refusals.push(`${file}: ${refusal}`);
        continue;
      }
      bytes += sizeBytes;
      if (artifacts.size >= MOST_FILES || bytes > MOST_BYTES) {
        refusals.push(`${file}: more than ${MOST_FILES} files or ${MOST_BYTES} bytes of artifacts`);
        return { artifacts: [...artifacts.values()], refusals };
      }
      const name = nameOf(file);
      const copy = join(o.into, name);
      await copyFile(join(o.tree, file), copy, constants.COPYFILE_FICLONE);
      const mediaType = MEDIA_TYPES[posix.extname(file).toLowerCase()] ?? 'application/octet-stream';
      artifacts.set(name, { name, file: copy, mediaType });
    }
  }
  return { artifacts: [...artifacts.values()], refusals };
}

function normalise(path: string): string | null {
  if (path === '' || path.startsWith('/') || path.includes('\0') || path.includes('\\')) return null;
  const clean = posix.normalize(path).replace(/\/+$/, '');
  if (clean === '.' || clean.split('/').some((segment) => segment === '..' || segment === '.git'))
    return null;
  return clean;
}

interface FoundFile {
  readonly file: string;
  readonly refusal: string | null;
  readonly sizeBytes: number;
}

/** The file itself, or all files below a directory; nothing where it does not exist. */
async function findFiles(tree: string, path: string): Promise<FoundFile[]> {
  const found = (refusal: string | null, sizeBytes = 0): FoundFile[] => [{ file: path, refusal, sizeBytes }];
  const segments = path.split('/');
  for (let depth = 1; depth < segments.length; depth += 1) {
    const entry = await lstat(join(tree, ...segments.slice(0, depth))).catch(() => null);
    if (entry === null) return [];
    if (!entry.isDirectory()) return found('a link or file stands where a directory should be');
  }
  const entry = await lstat(join(tree, path)).catch(() => null);
  if (entry === null) return [];
  if (entry.isDirectory()) {
    const names = (await readdir(join(tree, path))).sort().slice(0, MOST_FILES + 1);
    const below: FoundFile[] = [];
    for (const name of names) {
      if (below.length > MOST_FILES) break;
      below.push(...(await findFiles(tree, posix.join(path, name))));
    }
    return below;
  }
  if (!entry.isFile()) return found('is not a plain file');
  if (entry.size > MAX_ARTIFACT_BYTES) return found(`is larger than ${MAX_ARTIFACT_BYTES} bytes`);
  return found(null, entry.size);
}

/** `coverage/lcov.info` → `coverage-lcov.info`: artifact names have no directories. */
function nameOf(path: string): string {
  return path
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(-100)
    .replace(/^[^A-Za-z0-9]+/, '')
    .padStart(1, 'x');
}
