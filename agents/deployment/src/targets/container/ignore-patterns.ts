/*
 * `.dockerignore`, as the Docker documentation describes it: Go's filepath.Match, `**`, `!`, the last
 * match decides, a match of a directory is one of all in it. The client has to heed it, not the engine.
 */
export type IgnoreTest = (path: string) => boolean;

/** Of a hostile file only so much is read. */
const MAX_PATTERNS = 1_000;

export function readIgnorePatterns(text: string): IgnoreTest {
  const rules = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .slice(0, MAX_PATTERNS)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const isException = line.startsWith('!');
      const pattern = (isException ? line.slice(1).trim() : line).replace(/^\/+/, '').replace(/\/+$/, '');
      return { isException, matches: compile(pattern.replace(/^\.\//, '')) };
    });
  return (path) => {
    let isIgnored = false;
    for (const { isException, matches } of rules) {
      if (isException === isIgnored && matches(path)) isIgnored = !isException;
    }
    return isIgnored;
  };
}

/** Segment by segment, so that no pattern can take exponential time. */
function compile(pattern: string): (path: string) => boolean {
  const segments = pattern.split('/').filter((segment) => segment !== '.' && segment !== '');
  if (segments.length === 0) return () => false;
  const tests = segments.map((segment) => (segment === '**' ? null : compileSegment(segment)));
  return (path) => {
    const parts = path.split('/');
    // Which prefixes of the pattern match so far: of all at once, so nothing is tried twice.
    let states = closure(new Set([0]));
    for (const part of parts) {
      const next = new Set<number>();
      for (const state of states) {
        const test = tests[state];
        if (test === undefined) return true;
        if (test === null) next.add(state);
        else if (test(part)) next.add(state + 1);
      }
      states = closure(next);
    }
    return states.has(tests.length);
  };

  function closure(states: Set<number>): Set<number> {
    // `**` also stands for nothing at all. Sets grow while they are walked.
    for (const state of states) if (tests[state] === null) states.add(state + 1);
    return states;
  }
}

function compileSegment(segment: string): (part: string) => boolean {
  let source = '';
  for (let at = 0; at < segment.length; at += 1) {
    const char = segment[at]!;
    if (char === '*') source += source.endsWith('.*') ? '' : '.*';
    else if (char === '?') source += '.';
    else if (char === '\\' && at + 1 < segment.length) {
      at += 1;
      source += quote(segment[at]!);
    } else if (char === '[' && segment.indexOf(']', at + 2) !== -1) {
      const end = segment.indexOf(']', at + 2);
      const body = segment
        .slice(at + 1, end)
        .replaceAll('\\', '\\\\')
        .replaceAll('[', '\\[');
      source += `[${body}]`;
      at = end;
    } else source += quote(char);
  }
  try {
    const expression = new RegExp(`^${source}$`, 's');
    return (part) => expression.test(part);
  } catch {
    return (part) => part === segment;
  }
}

function quote(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
}
