/**
 * Every problem the box can answer with. Nobody parses messages: programs read `code`, people read
 * `detail`, which says what happened and what to do next. The body is RFC 9457
 * `application/problem+json`.
 */
export const PROBLEM_STATUS = {
  invalid_request: 400,
  invalid_spec: 400,
  story_empty: 400,
  story_too_large: 413,
  payload_too_large: 413,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  task_id_taken: 409,
  project_taken: 409,
  project_busy: 409,
  lease_gone: 409,
  conflict: 409,
  illegal_transition: 409,
  already_released: 409,
  idempotency_key_reused: 422,
  template_unknown: 400,
  bundle_refused: 422,
  artifact_mismatch: 422,
  disk_full: 507,
  store_unavailable: 503,
  stopping: 503,
  internal: 500,
} as const;

export type ProblemCode = keyof typeof PROBLEM_STATUS;

/** One finding in a document a person wrote. `line` and `column` count from 1. */
export interface Finding {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Where in the document, as `acceptance[0].url`. */
  readonly path: string;
  readonly message: string;
  /** What to write instead. */
  readonly hint: string;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly findings?: readonly Finding[] | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

/** A person's or a peer's mistake, or a state of the box that a caller can act on. Anything else that is thrown is a bug. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly findings: readonly Finding[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ProblemCode,
    detail: string,
    more: { findings?: readonly Finding[]; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.findings = more.findings;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }

  get status(): number {
    return PROBLEM_STATUS[this.code];
  }

  toProblem(): Problem {
    return {
      type: `urn:dbox:problem:${this.code}`,
      title: this.code.replaceAll('_', ' '),
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(this.findings ? { findings: this.findings } : {}),
      ...(this.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: this.retryAfterSeconds }),
    };
  }
}
