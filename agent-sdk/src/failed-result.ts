import type { JobPayload, JobResult } from '@dbox/contracts';
import { JobFailure } from './job-failure.ts';

/** The result for a job whose handler threw. */
export function failedResult(payload: JobPayload, error: unknown): JobResult {
  const detail = (error instanceof Error ? error.message : String(error)).slice(0, 4000);
  const cause = error instanceof JobFailure ? error.blame : 'host';
  switch (payload.kind) {
    case 'code':
      return { kind: 'code', outcome: 'failed', engine: payload.engine, cause, detail };
    case 'test':
      return { kind: 'test', outcome: 'failed', cause, detail };
    case 'deploy':
      return {
        kind: 'deploy',
        outcome: 'failed',
        cause,
        detail,
        phase: 'building',
        checks: [],
        outputTail: '',
      };
    case 'check':
      return {
        kind: 'check',
        outcome: 'succeeded',
        checks: payload.checks.map((check) => ({
          id: check.id,
          outcome: 'could_not_run' as const,
          detail,
          latencyMs: null,
        })),
      };
  }
}
