import { openSync, readdirSync, readFileSync } from 'node:fs';

const O_CLOEXEC = 0o2000000;

/**
 * Descriptors that the box itself inherited and that would go on into every child: a terminal's or an
 * editor's, through which a command could reach out. Node closes only the lowest of them at its start.
 */
function findInherited(): number[] {
  let names: string[];
  try {
    names = readdirSync('/proc/self/fd');
  } catch {
    return [];
  }
  return names.map(Number).filter((fd) => {
    if (fd <= 2) return false;
    try {
      const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'));
      return flags !== null && (Number.parseInt(flags[1] as string, 8) & O_CLOEXEC) === 0;
    } catch {
      return false;
    }
  });
}

let covers: readonly (number | 'ignore')[] | null = null;

/** What to append to a child's `stdio` from descriptor `from` on, so that /dev/null stands where an inherited one was. */
export function coverInherited(from: number): readonly (number | 'ignore')[] {
  if (covers !== null) return covers;
  const inherited = findInherited().filter((fd) => fd >= from);
  const devNull = inherited.length === 0 ? 0 : openSync('/dev/null', 'r');
  const most = Math.max(from - 1, ...inherited);
  covers = Array.from({ length: most - from + 1 }, (_, index) =>
    inherited.includes(from + index) ? devNull : 'ignore',
  );
  return covers;
}
