import { z } from 'zod';
import { Instant, MadeId } from './names.ts';

/** What the box gives every release itself. */
const RESERVED_KEYS = new Set(['PORT', 'HOST', 'DATA_DIR', 'PATH', 'HOME', 'TMPDIR', 'LANG']);
/** No name a program needs, and one that JavaScript objects take amiss. */
const TREACHEROUS_KEY = '__proto__';

/** A name of an environment variable that is not the box's own. */
export const SettingKey = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'write letters, digits and _, not beginning with a digit')
  .refine((key) => !RESERVED_KEYS.has(key) && !key.startsWith('DBOX_'), 'the box sets this one itself')
  .refine((key) => key !== TREACHEROUS_KEY, 'choose another name');

/** Without NUL, which no process environment can hold. */
export const SettingValue = z
  .string()
  .max(32 * 1024)
  .refine((value) => !value.includes('\0'), 'a value cannot hold NUL');

/** An environment's settings by name: a value goes in and never comes out to a person again. */
export const SettingList = z.object({
  /** What the next release runs with. Grows with each change; a rollback takes it back to its release's own. */
  version: z.int().min(0),
  /** What the live release runs with; null where nothing is live. */
  live: z.int().min(0).nullable(),
  /** `version` is on its way to what is live, or waits for its turn. */
  pending: z.boolean(),
  /** The newest version whose release was refused, while nothing later is live. */
  refused: z.object({ version: z.int(), releaseId: MadeId, reason: z.string() }).nullable(),
  settings: z.array(z.object({ key: z.string(), changedAt: Instant })),
});

export type SettingList = z.infer<typeof SettingList>;
