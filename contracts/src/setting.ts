import { z } from 'zod';
import { Instant } from './names.ts';

/** What the box gives every release itself. */
const RESERVED_KEYS = new Set(['PORT', 'HOST', 'DATA_DIR', 'PATH', 'HOME', 'TMPDIR', 'LANG']);

/** A name of an environment variable that is not the box's own. */
export const SettingKey = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'write letters, digits and _, not beginning with a digit')
  .refine((key) => !RESERVED_KEYS.has(key) && !key.startsWith('DBOX_'), 'the box sets this one itself');

/** Without NUL, which no process environment can hold. */
export const SettingValue = z
  .string()
  .max(32 * 1024)
  .refine((value) => !value.includes('\0'), 'a value cannot hold NUL');

/** An environment's settings by name: a value goes in and never comes out to a person again. */
export const SettingList = z.object({
  /** Grows with each change; releases name the one they run with. */
  version: z.int().min(0),
  settings: z.array(z.object({ key: z.string(), changedAt: Instant })),
});

export type SettingList = z.infer<typeof SettingList>;
