/** What the caller's script learns from how a command ended. */
export const EXIT = {
  /** Delivered, or done. */
  ok: 0,
  failed: 1,
  /** Wrong usage or input, or the person called it off. */
  usage: 2,
  notAuthorised: 4,
  unreachable: 5,
  /** A story waits for a person. */
  waits: 8,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
