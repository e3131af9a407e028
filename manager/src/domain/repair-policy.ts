/** What the box may do about an incident, in this order: revert first, repair second, then a person. */
export type RepairStep =
  | { readonly do: 'wait' }
  | { readonly do: 'restart' }
  | { readonly do: 'rollback' }
  | { readonly do: 'repair' }
  | { readonly do: 'escalate'; readonly why: string };

export const MAX_RESTARTS = 2;
/** Failing rounds after an action before the next one: the action needs time to show. */
export const ROUNDS_AFTER_ACTION = 3;

export interface IncidentState {
  /** Restarts that this incident has asked for. A process that gave up by itself counts as all of them. */
  readonly restarts: number;
  readonly rolledBack: boolean;
  readonly repairs: number;
  /** Failing rounds since the last action, or since it opened. */
  readonly roundsSinceAction: number;
  readonly hasEarlierRelease: boolean;
  /** Null: the engine can repair. */
  readonly cannotRepair: string | null;
}

export function nextStep(state: IncidentState): RepairStep {
  const acted = state.restarts > 0 || state.rolledBack || state.repairs > 0;
  if (acted && state.roundsSinceAction < ROUNDS_AFTER_ACTION) return { do: 'wait' };
  if (state.restarts < MAX_RESTARTS && !state.rolledBack && state.repairs === 0) return { do: 'restart' };
  // At most one rollback an incident: going back and forth helps nobody.
  if (!state.rolledBack && state.hasEarlierRelease) return { do: 'rollback' };
  if (state.cannotRepair === null && state.repairs === 0) return { do: 'repair' };
  return {
    do: 'escalate',
    why: state.cannotRepair ?? 'restart, rollback and repair did not help',
  };
}
