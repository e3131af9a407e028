import type { LogLine } from '@dbox/contracts';

export type LogSubject =
  | { readonly kind: 'job'; readonly id: string }
  | { readonly kind: 'release'; readonly id: string }
  | { readonly kind: 'service'; readonly id: string };

/**
 * Log lines as JSON lines in files below `logs/`. Job and release logs keep head and tail past their
 * cap and mark the cut; service logs are rotated. Appends of one subject keep their order; a full
 * disk loses log lines and nothing else.
 */
export interface LogStore {
  append(subject: LogSubject, lines: readonly LogLine[]): Promise<void>;
  /**
   * Lines after the cursor, oldest first. The cursor is opaque; null is the beginning. Fewer than
   * `limit` may come though there are more (an answer is bounded in bytes too); none come at the end.
   */
  read(
    subject: LogSubject,
    query: { after: string | null; limit: number },
  ): Promise<{ lines: LogLine[]; next: string }>;
  remove(subject: LogSubject): Promise<void>;
}
