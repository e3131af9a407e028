import type { Clock } from './clock.ts';
import type { Output } from './output.ts';
import { formatBytes } from './quantities.ts';

const REDRAW_MS = 120;

/** How much of a long transfer is done: one line that is drawn over on a terminal, nothing elsewhere. */
export interface ByteProgress {
  show(bytes: number): void;
  /** A line that stays. */
  say(text: string): void;
  close(): void;
}

export function openByteProgress(
  { output, clock }: { readonly output: Output; readonly clock: Clock },
  what: string,
  totalBytes: number | null = null,
): ByteProgress {
  const live = output.live && !output.quiet;
  let drawnAt = Number.NEGATIVE_INFINITY;
  const erase = (): void => {
    if (drawnAt > 0) output.stderr.write('\r\u001b[2K');
    drawnAt = Number.NEGATIVE_INFINITY;
  };
  return {
    show(bytes) {
      if (!live || clock.now() - drawnAt < REDRAW_MS) return;
      drawnAt = clock.now();
      const of = totalBytes === null ? '' : ` of ${formatBytes(totalBytes)}`;
      output.stderr.write(`\r\u001b[2K${what} … ${formatBytes(bytes)}${of}`);
    },
    say(text) {
      erase();
      output.note(text);
    },
    close: erase,
  };
}
