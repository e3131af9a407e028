import type { Clock } from '@dbox/agent-sdk';
import { answersHttp } from '@dbox/probe';
import type { ReleaseExit, RunningRelease } from './targets/target.ts';

export const READY_TIMEOUT_MS = 60_000;
/** Asking costs a fraction of a millisecond; the pause is what a release waits for its traffic in vain. */
const PROBE_EVERY_MS = 20;
/** One pass may be the last word of something that is just dying. */
const PASSES_NEEDED = 2;
/** A first answer may be slow (a page that compiles itself); longer than this is asked anew. */
const ANSWER_TIMEOUT_MS = 5_000;
/** What a release sees as `Host` before it has an address: the name that specs use. */
export const SMOKE_HOST = 'devsite:8080';

export type Readiness =
  | { readonly kind: 'ready' }
  | { readonly kind: 'exited'; readonly exit: ReleaseExit }
  | { readonly kind: 'silent' };

/** Until any HTTP answer came twice in a row. Sees an exit at once. Rejects only when `signal` is aborted. */
export async function waitUntilReady(o: {
  readonly release: RunningRelease;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly timeoutMs: number;
}): Promise<Readiness> {
  const { release, clock } = o;
  let exit: ReleaseExit | null = null;
  const ended = new AbortController();
  void release.exited.then((outcome) => {
    exit = outcome;
    ended.abort();
  });
  const signal = AbortSignal.any([o.signal, ended.signal]);
  const deadlineMs = clock.monotonicMs() + o.timeoutMs;
  let passCount = 0;
  for (;;) {
    const answered = await answersHttp({
      target: release.target,
      hostHeader: SMOKE_HOST,
      signal,
      timeoutMs: ANSWER_TIMEOUT_MS,
    }).catch(() => false);
    o.signal.throwIfAborted();
    if (exit) return { kind: 'exited', exit };
    passCount = answered ? passCount + 1 : 0;
    if (passCount >= PASSES_NEEDED) return { kind: 'ready' };
    if (clock.monotonicMs() >= deadlineMs) return { kind: 'silent' };
    await clock.sleep(PROBE_EVERY_MS, signal);
  }
}

/** Why a release that runs and does not answer was given up. */
export function describeSilence(release: RunningRelease, timeoutMs: number): string {
  const why = release.whySilent ? `: ${release.whySilent}` : '';
  return `nothing answered on PORT within ${timeoutMs / 1000} s${why}`;
}
