import type { FileHandle } from 'node:fs/promises';
import { COMMIT_PATTERN } from '@dbox/contracts';
import { BundleRefusedError } from '../../ports/repositories.ts';

/** Some thousand refs; the box's own bundles have one. */
const MAX_HEADER_BYTES = 1024 * 1024;
const CHUNK_BYTES = 16 * 1024;

export interface BundleHeader {
  readonly sizeBytes: number;
  readonly prerequisites: readonly string[];
  readonly refs: readonly { readonly name: string; readonly commit: string }[];
}

/** Reads up to the blank line, and leaves the file standing where the pack begins. */
export async function readBundleHeader(
  file: FileHandle,
  maxBytes: number = MAX_HEADER_BYTES,
): Promise<BundleHeader> {
  const bytes = Buffer.alloc(maxBytes);
  let filled = 0;
  let end = -1;
  while (end < 0) {
    if (filled === maxBytes) throw new BundleRefusedError('the header of the git bundle is too long');
    const wanted = Math.min(CHUNK_BYTES, maxBytes - filled);
    const { bytesRead } = await file.read(bytes, filled, wanted, filled);
    if (bytesRead === 0) throw notABundle();
    filled += bytesRead;
    end = bytes.subarray(0, filled).indexOf('\n\n');
  }
  // Reads at a position do not move the file; one read without moves it to where git shall go on.
  await readExactly(file, end + 2);
  return parseBundleHeader(bytes.toString('utf8', 0, end));
}

export function parseBundleHeader(text: string): BundleHeader {
  const [signature, ...lines] = text.split('\n');
  if (signature !== '# v2 git bundle' && signature !== '# v3 git bundle') throw notABundle();
  const prerequisites: string[] = [];
  const refs: { name: string; commit: string }[] = [];
  for (const line of lines) {
    if (line.startsWith('@')) {
      if (line === '@object-format=sha1') continue;
      throw new BundleRefusedError(
        `the git bundle asks for ${JSON.stringify(line.slice(0, 100))}, which this box does not take; make it with plain \`git bundle create\``,
      );
    }
    const isPrerequisite = line.startsWith('-');
    const [commit = '', ...rest] = (isPrerequisite ? line.slice(1) : line).split(' ');
    const name = rest.join(' ');
    if (!COMMIT_PATTERN.test(commit) || (!isPrerequisite && name === '')) throw notABundle();
    if (isPrerequisite) prerequisites.push(commit);
    else refs.push({ name, commit });
  }
  return { sizeBytes: Buffer.byteLength(text) + 2, prerequisites, refs };
}

async function readExactly(file: FileHandle, sizeBytes: number): Promise<void> {
  const sink = Buffer.alloc(Math.min(sizeBytes, CHUNK_BYTES));
  for (let left = sizeBytes; left > 0; ) {
    const { bytesRead } = await file.read(sink, 0, Math.min(left, sink.length), null);
    if (bytesRead === 0) throw notABundle();
    left -= bytesRead;
  }
}

function notABundle(): BundleRefusedError {
  return new BundleRefusedError('this is no git bundle, or it breaks off in its header');
}
