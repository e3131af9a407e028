import { lstat, rename, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_LOOK_MS = 5;
const LAST_LOOK_MS = 500;

/**
 * Takes a release's socket out of the directory that the release can write to, once it is there. What
 * connects to it follows links: left where it was, it could be swapped for one to any socket of the
 * host, and every visitor would talk to that. A socket keeps working when it is moved. What is no
 * socket is thrown away, so such a release never answers.
 */
export async function claimSocket(o: {
  readonly made: string;
  readonly claimed: string;
  /** Aborted when the release has ended. */
  readonly signal: AbortSignal;
}): Promise<void> {
  for (let waitMs = FIRST_LOOK_MS; !o.signal.aborted; waitMs = Math.min(waitMs * 1.2, LAST_LOOK_MS)) {
    if (await take(o.made, o.claimed)) return;
    await sleep(waitMs, undefined, { signal: o.signal }).catch(() => undefined);
  }
}

async function take(made: string, claimed: string): Promise<boolean> {
  const taken = `${claimed}.new`;
  try {
    // First out of reach, then looked at: nothing can change it in between.
    await rename(made, taken);
  } catch {
    return false;
  }
  if ((await lstat(taken)).isSocket()) {
    await rename(taken, claimed);
    return true;
  }
  await rm(taken, { recursive: true, force: true });
  return false;
}
