import { z } from 'zod';
import { Instant } from './names.ts';

/**
 * One fact in the ledger. `hash` is the SHA-256, in hex, of the previous event's hash (64 zeros for
 * the first) followed by the canonical JSON of all other fields, so history cannot be edited unseen.
 */
export const Event = z.object({
  /** Gapless, from 1, over the whole box. */
  seq: z.int().positive(),
  at: Instant,
  /** Who did it: `system`, `operator`, `agent:coding:agt_…`. */
  actor: z.string(),
  /** Noun and past participle: `task.verified`. */
  type: z.string(),
  /** What it is about: `task/task-001`. */
  subject: z.string(),
  data: z.record(z.string(), z.json()),
  hash: z.string(),
});
export type Event = z.infer<typeof Event>;
export const GENESIS_HASH = '0'.repeat(64);
