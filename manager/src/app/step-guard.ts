import type { AppContext } from './context.ts';

/** As often as a job is repeated for its host's sake. */
const MAX_FAILURES = 3;
/** After the n-th failure a step is left alone for n times this: a full disk or a busy machine may pass. */
const PAUSE_MS = 5_000;
/** A pause that seems longer comes of a clock that was set back. */
const LONGEST_PAUSE_MS = MAX_FAILURES * PAUSE_MS;

/**
 * Takes one step of a loop for one subject, so that what is broken for one keeps nobody else from
 * moving and is not tried in a hot loop. Returns how many steps were taken: none where it threw.
 * `giveUp` ends the waiting once it has failed again and again; without it the step is tried for ever.
 */
export async function takeStep(
  context: AppContext,
  given: {
    readonly subject: string;
    readonly doing: string;
    readonly giveUp?: (reason: string) => Promise<void>;
  },
  step: () => Promise<number>,
): Promise<number> {
  const { failures } = context.observations;
  const nowMs = context.clock.nowMs();
  const former = failures.get(given.subject);
  const waitMs = former ? former.notBeforeMs - nowMs : 0;
  if (waitMs > 0 && waitMs <= LONGEST_PAUSE_MS) return 0;
  try {
    const taken = await step();
    failures.delete(given.subject);
    return taken;
  } catch (error) {
    const count = Math.min((former?.count ?? 0) + 1, MAX_FAILURES);
    failures.set(given.subject, { count, notBeforeMs: nowMs + count * PAUSE_MS });
    context.log('error', `${given.doing} failed`, {
      subject: given.subject,
      failures: count,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    if (count < MAX_FAILURES || !given.giveUp) return 0;
    return giveUp(context, given, error);
  }
}

async function giveUp(
  context: AppContext,
  given: {
    readonly subject: string;
    readonly doing: string;
    readonly giveUp?: (reason: string) => Promise<void>;
  },
  error: unknown,
): Promise<number> {
  const why = (error instanceof Error ? error.message : String(error)).slice(0, 1000);
  try {
    await given.giveUp?.(`${given.doing} failed ${MAX_FAILURES} times, the last time with: ${why}`);
    context.observations.failures.delete(given.subject);
    return 1;
  } catch (failure) {
    context.log('error', `giving up on ${given.doing} failed`, {
      subject: given.subject,
      error: String(failure),
    });
    return 0;
  }
}
