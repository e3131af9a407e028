import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { callManager, git } from '@dbox/agent-sdk';
import type { Client } from '@dbox/contracts';

/**
 * Fetches a release's commit from the manager and lays it out below `workDir`, for a live release
 * whose tree is gone. Returns the checkout.
 */
export async function fetchReleaseSource(o: {
  readonly client: Client;
  readonly releaseId: string;
  readonly commit: string;
  readonly workDir: string;
  readonly signal: AbortSignal;
}): Promise<string> {
  const { signal } = o;
  const tree = join(o.workDir, 'src');
  const bundleFile = join(o.workDir, 'source.bundle');
  await rm(o.workDir, { recursive: true, force: true });
  await mkdir(tree, { recursive: true });
  await callManager(
    async () => {
      const response = await o.client.raw('getReleaseSource', { params: { releaseId: o.releaseId }, signal });
      const body = response.body ?? new ReadableStream({ start: (controller) => controller.close() });
      await pipeline(Readable.fromWeb(body as never), createWriteStream(bundleFile, { mode: 0o600 }), {
        signal,
      });
    },
    { caller: 'agent', signal, giveUpAfterMs: null },
  );
  const options = { cwd: tree, signal };
  await git(['init', '--quiet', '--template=', '--initial-branch=main'], options);
  const refs = '+refs/heads/*:refs/source/*';
  await git(['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', bundleFile, refs], options);
  await git(['checkout', '--quiet', '--detach', o.commit], options);
  await rm(bundleFile);
  return tree;
}

/** A checkout becomes a clean tree: nothing of git is left in it. */
export async function stripRepository(checkout: string): Promise<string> {
  await rm(join(checkout, '.git'), { recursive: true, force: true });
  return checkout;
}
