import { createWriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MAX_BUNDLE_BYTES } from '@dbox/contracts';
import { git } from './git.ts';
import { JobFailure } from './job-failure.ts';

/** An empty repository without hooks, description or remotes. */
export async function makeEmptyRepository(tree: string, signal: AbortSignal): Promise<void> {
  await mkdir(tree, { recursive: true });
  await git(['init', '--quiet', '--template=', '--initial-branch=main'], { cwd: tree, signal });
}

/** Lays out one commit of a bundle. All its refs are fetched, so that other commits it brings can be used too. */
export async function layOutBundle(o: {
  readonly bundleFile: string;
  readonly tree: string;
  readonly commit: string;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { tree, signal } = o;
  await makeEmptyRepository(tree, signal);
  await git(
    ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', o.bundleFile, '+refs/heads/*:refs/source/*'],
    {
      cwd: tree,
      signal,
    },
  );
  await git(['checkout', '--quiet', '--detach', o.commit], { cwd: tree, signal });
}

export async function saveBody(
  body: ReadableStream<Uint8Array>,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  await pipeline(Readable.fromWeb(body as never), createWriteStream(file, { mode: 0o600 }), { signal });
}

/** Writes HEAD as a bundle (ref `refs/heads/dbox`) without what the manager already has. */
export async function bundleHead(o: {
  readonly tree: string;
  readonly since: string | null;
  readonly bundleFile: string;
  readonly signal: AbortSignal;
}): Promise<string> {
  const { tree, signal } = o;
  const { stdout } = await git(['rev-parse', '--verify', 'HEAD^{commit}'], { cwd: tree, signal });
  const commit = stdout.trim();
  await git(['update-ref', 'refs/heads/dbox', commit], { cwd: tree, signal });
  await rm(o.bundleFile, { force: true });
  await git(
    [
      'bundle',
      'create',
      '--quiet',
      o.bundleFile,
      'refs/heads/dbox',
      ...(o.since === null ? [] : [`^${o.since}`]),
    ],
    { cwd: tree, signal },
  );
  const { size } = await stat(o.bundleFile);
  if (size > MAX_BUNDLE_BYTES) {
    throw new JobFailure('commit', `the commit is ${size} bytes packed; the most is ${MAX_BUNDLE_BYTES}`);
  }
  return commit;
}

export function bundlePath(scratchDir: string, name: string): string {
  return join(scratchDir, `${name}.bundle`);
}
