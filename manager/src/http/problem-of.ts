import { randomBytes } from 'node:crypto';
import { ProblemError } from '@dbox/contracts';
import { IllegalTransitionError } from '../domain/lifecycles.ts';
import { BundleRefusedError } from '../ports/repositories.ts';
import { DuplicateKeyError, VersionConflictError } from '../ports/store.ts';

/** `info` is for what a caller did, `error` for what the box did wrong. */
export type Log = (level: 'info' | 'warn' | 'error', message: string, data?: object) => void;

/** The result codes of SQLite that tell of the disk or of another holder, not of a bug (sqlite.org/rescode.html). */
const SQLITE_UNAVAILABLE = new Set([5, 6, 8, 10, 14, 15]);
const SQLITE_FULL = 13;
const STORE_RETRY_AFTER_SECONDS = 2;

/**
 * What a caller is told about anything that was thrown. What a caller can act on keeps its words; a bug
 * becomes `internal` with an id under which the whole of it, stack and causes, is in the log, and nothing
 * of it goes over the wire.
 */
export function problemOf(error: unknown, log: Log): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof VersionConflictError) {
    return new ProblemError(
      'conflict',
      'Something else changed the same thing at the same moment; try again.',
      {
        cause: error,
        retryAfterSeconds: 1,
      },
    );
  }
  if (error instanceof DuplicateKeyError) {
    return new ProblemError(
      'conflict',
      'Something with this name exists already; look at it, or take another.',
      {
        cause: error,
      },
    );
  }
  if (error instanceof IllegalTransitionError) {
    return new ProblemError('illegal_transition', `${capitalised(error.message)}.`, { cause: error });
  }
  if (error instanceof BundleRefusedError) {
    return new ProblemError('bundle_refused', error.message, { cause: error });
  }
  const known = problemOfSystemError(error);
  if (known) {
    log('error', known.message, { error: describeError(error) });
    return known;
  }
  const id = `err_${randomBytes(6).toString('hex')}`;
  log('error', `an error in the manager (${id})`, { id, error: describeError(error) });
  return new ProblemError('internal', `The manager made an error. Its log tells more under ${id}.`, {
    cause: error,
  });
}

function problemOfSystemError(error: unknown): ProblemError | null {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    const { code, errcode } = cause as { code?: unknown; errcode?: unknown };
    // The low byte of an extended result code is its primary code.
    const sqlite = code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : null;
    if (code === 'ENOSPC' || code === 'EDQUOT' || sqlite === SQLITE_FULL) {
      return new ProblemError(
        'disk_full',
        'The disk is full and nothing was changed. Free some space, then try again.',
        {
          cause: error,
          retryAfterSeconds: STORE_RETRY_AFTER_SECONDS,
        },
      );
    }
    if (sqlite !== null && SQLITE_UNAVAILABLE.has(sqlite)) {
      return new ProblemError('store_unavailable', 'The task store cannot be used just now; try again.', {
        cause: error,
        retryAfterSeconds: STORE_RETRY_AFTER_SECONDS,
      });
    }
  }
  return null;
}

function capitalised(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** Stack and causes, for the log. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined ? own : `${own}\ncaused by ${describeError(error.cause)}`;
}
