import { Box } from '../box.ts';
import { PATH_EVENTS, SHORT_LEASES, surviveFailpoint } from '../scenarios/kills.ts';

export interface FailpointOutcome {
  readonly failpoint: string;
  /** Null where the story was delivered, once. */
  readonly problem: string | null;
  readonly elapsedMs: number;
}

/** A box that dies before and after each state write of the path; each event has a box of its own. */
export async function runFailpointMatrix(
  onOutcome: (outcome: FailpointOutcome) => void,
): Promise<FailpointOutcome[]> {
  const outcomes: FailpointOutcome[] = [];
  for (const event of PATH_EVENTS) {
    for (const when of ['before', 'after']) {
      const failpoint = `${when}:${event}`;
      const startedAt = Date.now();
      const box = await Box.make(SHORT_LEASES);
      const problem = await surviveFailpoint(box, failpoint, 'survivor').then(
        () => null,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      const outcome = { failpoint, problem, elapsedMs: Date.now() - startedAt };
      onOutcome(outcome);
      outcomes.push(outcome);
      await box.close({ keep: problem !== null });
    }
  }
  return outcomes;
}
