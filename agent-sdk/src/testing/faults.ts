import type { OperationName, ProblemCode } from '@dbox/contracts';

/**
 * What goes wrong with one call.
 * - `problem`: answered with this problem document; the call has no effect.
 * - `garbage`: HTTP 502 with HTML, as a proxy in between would.
 * - `drop_request`: the connection is cut before the call has any effect.
 * - `drop_reply`: the call takes effect and the connection is cut instead of the answer.
 * - `hold`: the answer waits until `release` is resolved.
 */
export type Fault =
  | { readonly kind: 'problem'; readonly code: ProblemCode; readonly retryAfterSeconds?: number }
  | { readonly kind: 'garbage' }
  | { readonly kind: 'drop_request' }
  | { readonly kind: 'drop_reply' }
  | { readonly kind: 'hold'; readonly release: Promise<unknown> };

/** Faults waiting for their calls, first in, first out for each operation. */
export interface FaultPlan {
  add(operation: OperationName, fault: Fault, times: number): void;
  next(operation: OperationName): Fault | null;
  clear(operation?: OperationName): void;
}

export function createFaultPlan(): FaultPlan {
  let waiting: { operation: OperationName; fault: Fault; times: number }[] = [];
  return {
    add(operation, fault, times) {
      waiting.push({ operation, fault, times });
    },
    next(operation) {
      const found = waiting.find((entry) => entry.operation === operation);
      if (found === undefined) return null;
      found.times -= 1;
      if (found.times <= 0) waiting = waiting.filter((entry) => entry !== found);
      return found.fault;
    },
    clear(operation) {
      waiting = operation === undefined ? [] : waiting.filter((entry) => entry.operation !== operation);
    },
  };
}
