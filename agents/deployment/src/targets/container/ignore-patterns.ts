/*
 * `.dockerignore`, as the Docker documentation describes it: Go's filepath.Match, `**`, `!`, the last
 * match decides, a match of a directory is one of all in it. The client has to heed it, not the engine.
 */
export type IgnoreTest = (path: string) => boolean;

/** Of a hostile file only so much is read. */
const MAX_PATTERNS = 1_000;
/** No path on Linux is longer. */
const MAX_PATTERN = 4096;

export function readIgnorePatterns(text: string): IgnoreTest {
  const rules = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .slice(0, MAX_PATTERNS)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && line.length <= MAX_PATTERN)
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

type CharTest = (char: string) => boolean;

/** Character by character: as a regular expression, a few stars would take exponential time. */
function compileSegment(segment: string): (part: string) => boolean {
  const tests = readSegment([...segment]);
  return (part) => {
    const chars = [...part];
    let at = 0;
    let test = 0;
    // The latest star, and how far it reaches. Whatever an earlier one could take, this one can.
    let star = -1;
    let reach = 0;
    while (at < chars.length) {
      const one = tests[test];
      if (one === '*') {
        star = test;
        reach = at;
        test += 1;
      } else if (one?.(chars[at]!)) {
        at += 1;
        test += 1;
      } else if (star === -1) return false;
      else {
        reach += 1;
        at = reach;
        test = star + 1;
      }
    }
    while (tests[test] === '*') test += 1;
    return test === tests.length;
  };
}

function readSegment(chars: readonly string[]): (CharTest | '*')[] {
  const tests: (CharTest | '*')[] = [];
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at]!;
    const end = char === '[' ? chars.indexOf(']', at + 2) : -1;
    if (char === '*') tests.push('*');
    else if (char === '?') tests.push(() => true);
    else if (end !== -1) {
      tests.push(readClass(chars.slice(at + 1, end)));
      at = end;
    } else {
      if (char === '\\' && at + 1 < chars.length) at += 1;
      const wanted = chars[at]!;
      tests.push((one) => one === wanted);
    }
  }
  return tests;
}

/** What stands between brackets: `abc`, `a-z`, `^a-z`. */
function readClass(body: readonly string[]): CharTest {
  const isNegated = body[0] === '^';
  const ranges: { from: string; to: string }[] = [];
  for (let at = isNegated ? 1 : 0; at < body.length; at += 1) {
    const from = body[at]!;
    const isRange = body[at + 1] === '-' && at + 2 < body.length;
    ranges.push({ from, to: isRange ? body[at + 2]! : from });
    if (isRange) at += 2;
  }
  return (one) => ranges.some(({ from, to }) => one >= from && one <= to) !== isNegated;
}
