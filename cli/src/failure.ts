import type { Finding, Problem } from '@dbox/contracts';
import { UnreachableError } from '@dbox/contracts/client';
import type { ProblemCode } from '@dbox/contracts/errors';
import { ProblemError } from '@dbox/contracts/errors';
import type { ExitCode } from './exit-codes.ts';
import { EXIT } from './exit-codes.ts';

/** What went wrong on this side of the wire; `hint` says what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: CliErrorCode;
  readonly hint: string | null;
  readonly findings: readonly Finding[] | undefined;

  constructor(
    code: CliErrorCode,
    message: string,
    more: { hint?: string; findings?: readonly Finding[]; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.hint = more.hint ?? null;
    this.findings = more.findings;
  }
}

const CLI_EXIT = {
  usage: EXIT.usage,
  invalid_spec: EXIT.usage,
  cancelled: EXIT.usage,
  not_found: EXIT.failed,
  failed: EXIT.failed,
  box_unreachable: EXIT.unreachable,
  box_did_not_start: EXIT.failed,
} as const satisfies Record<string, ExitCode>;
export type CliErrorCode = keyof typeof CLI_EXIT;

/** Problems that are not listed end with `EXIT.failed`. */
const PROBLEM_EXIT: Partial<Record<ProblemCode, ExitCode>> = {
  invalid_request: EXIT.usage,
  invalid_spec: EXIT.usage,
  story_empty: EXIT.usage,
  story_too_large: EXIT.usage,
  payload_too_large: EXIT.usage,
  template_unknown: EXIT.usage,
  unauthenticated: EXIT.notAuthorised,
  forbidden: EXIT.notAuthorised,
  stopping: EXIT.unreachable,
};

/** The error as `--json` prints it, below the key `error`. */
export interface Failure {
  readonly code: CliErrorCode | Problem['code'] | 'internal';
  readonly detail: string;
  readonly hint: string | null;
  readonly exitCode: ExitCode;
  readonly findings?: readonly Finding[];
}

export function describeFailure(error: unknown): Failure {
  if (error instanceof CliError) {
    return withFindings(
      { code: error.code, detail: error.message, hint: error.hint, exitCode: CLI_EXIT[error.code] },
      error.findings,
    );
  }
  if (error instanceof ProblemError) {
    const hint =
      error.code === 'unauthenticated'
        ? 'Set DBOX_TOKEN to a token of this box (its workspace keeps them in secrets/).'
        : error.code === 'forbidden'
          ? 'The token is known but its role may not do this; use an operator or admin token.'
          : null;
    return withFindings(
      { code: error.code, detail: error.message, hint, exitCode: PROBLEM_EXIT[error.code] ?? EXIT.failed },
      error.findings,
    );
  }
  if (error instanceof UnreachableError) {
    return {
      code: 'box_unreachable',
      detail: `The box cannot be reached: ${error.message}`,
      hint: 'See `./dbox doctor`, or start the box with `./dbox up`.',
      exitCode: EXIT.unreachable,
    };
  }
  const detail = error instanceof Error ? error.message : String(error);
  return { code: 'internal', detail, hint: null, exitCode: EXIT.failed };
}

function withFindings(failure: Failure, findings: readonly Finding[] | undefined): Failure {
  return findings === undefined || findings.length === 0 ? failure : { ...failure, findings };
}
