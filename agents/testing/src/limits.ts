import { totalmem } from 'node:os';
import type { CommandLimits } from '@dbox/sandbox';

const MB = 1024 * 1024;
/** What a bundler with its type checker and a headless test run need, and not more than half of the host. */
const MEMORY_MB = 2_048;
const PROCESSES = 256;
const FILE_SIZE_MB = 1_024;
/** One entry keeps this much of its head and twice as much of its tail, where the summary stands. */
const HEAD_BYTES = 16 * 1024;
/** All entries together: a result may have 8 MiB, and JSON may write a byte as six. */
const ALL_EVIDENCE_BYTES = 1024 * 1024;

export function limitsFor(o: { readonly entryCount: number; readonly timeoutMs: number }): CommandLimits {
  const share = Math.floor(ALL_EVIDENCE_BYTES / Math.max(1, o.entryCount) / 3);
  const headBytes = Math.min(HEAD_BYTES, share);
  return {
    timeoutMs: o.timeoutMs,
    memoryMb: Math.min(MEMORY_MB, Math.floor(totalmem() / MB / 2)),
    processes: PROCESSES,
    headBytes,
    tailBytes: headBytes * 2,
    fileSizeMb: FILE_SIZE_MB,
  };
}
