import { join } from 'node:path';
import { JOB_LOG_HEAD_BYTES, JOB_LOG_TAIL_BYTES, ProblemError } from '@dbox/contracts';
import type { LogStore, LogSubject } from '../../ports/log-store.ts';
import { errorCode } from '../durable-file.ts';
import { appendLines } from './append-lines.ts';
import { headAndTailLog } from './head-and-tail-log.ts';
import { readLines } from './read-lines.ts';
import { rotatingLog } from './rotating-log.ts';
import type { SegmentedLog } from './segment.ts';

/** Without dots, which the names of segments are made with. */
const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$/;
/** Days of a service's lines at the usual rate; three files of it a service. */
const SERVICE_FILE_BYTES = 5 * 1024 * 1024;
const SERVICE_FILES = 3;

/**
 * Logs below `<workspace>/logs`: `jobs/<id>.log` and `releases/<id>.log` with head and tail,
 * `<service>.log` rotated. What one log is asked happens in the order it was asked.
 */
export function createLogStore(options: {
  readonly workspace: string;
  readonly headBytes?: number;
  readonly tailBytes?: number;
  readonly serviceFileBytes?: number;
}): LogStore {
  const root = join(options.workspace, 'logs');
  const turns = new Map<string, Promise<unknown>>();

  function logOf(subject: LogSubject): SegmentedLog {
    const { id } = subject;
    if (!ID_PATTERN.test(id)) {
      throw new ProblemError(
        'invalid_request',
        `There is no log called ${JSON.stringify(id.slice(0, 100))}.`,
      );
    }
    if (subject.kind === 'service') {
      const fileBytes = options.serviceFileBytes ?? SERVICE_FILE_BYTES;
      return rotatingLog({ directory: root, id, fileBytes, files: SERVICE_FILES });
    }
    return headAndTailLog({
      directory: join(root, subject.kind === 'job' ? 'jobs' : 'releases'),
      id,
      headBytes: options.headBytes ?? JOB_LOG_HEAD_BYTES,
      tailBytes: options.tailBytes ?? JOB_LOG_TAIL_BYTES,
    });
  }

  function inTurn<T>(subject: LogSubject, work: (log: SegmentedLog) => Promise<T>): Promise<T> {
    const log = logOf(subject);
    const key = `${subject.kind}/${subject.id}`;
    const result = (turns.get(key) ?? Promise.resolve()).then(() => work(log));
    const settled = result.catch(() => undefined);
    turns.set(key, settled);
    void settled.then(() => {
      if (turns.get(key) === settled) turns.delete(key);
    });
    return result;
  }

  return {
    async append(subject, lines) {
      if (lines.length === 0) return;
      try {
        await inTurn(subject, (log) => appendLines(log, lines));
      } catch (error) {
        // A full or failing disk loses lines; whoever logs has better things to do than to fail of it.
        if (error instanceof ProblemError || errorCode(error) === undefined) throw error;
      }
    },

    async read(subject, { after, limit }) {
      const position = after === null ? 0 : parseCursor(after);
      const read = await inTurn(subject, (log) => readLines(log, { position, limit }));
      return { lines: read.lines, next: String(read.position) };
    },

    async remove(subject) {
      await inTurn(subject, (log) => log.remove());
    },
  };
}

function parseCursor(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new ProblemError('invalid_request', 'This is no cursor of a log; begin again without one.');
}
