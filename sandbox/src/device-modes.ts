import { chmodSync, statSync } from 'node:fs';

/** The device files of the host that bubblewrap binds in. */
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'].map((name) => `/dev/${name}`);

export interface DeviceModes {
  restore(): void;
}

/**
 * Where the box runs as root, a command inside owns the host's device files and can change their mode
 * (`chmod 0 /dev/null`), which would hurt the rest of the host. bubblewrap cannot bind a device that
 * works and is read-only, so the modes are looked at while commands run, and put back.
 */
export function rememberDeviceModes(): DeviceModes {
  if (process.getuid?.() !== 0) return { restore: () => {} };
  const modes = new Map<string, number>();
  for (const device of DEVICES) {
    const entry = statSync(device, { throwIfNoEntry: false });
    if (entry !== undefined) modes.set(device, entry.mode);
  }
  return {
    restore() {
      for (const [device, mode] of modes) {
        if (statSync(device, { throwIfNoEntry: false })?.mode !== mode) chmodSync(device, mode & 0o7777);
      }
    },
  };
}
