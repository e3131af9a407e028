import type { LogCriterion } from '@dbox/contracts';
import { RE2JS } from 're2js';

/** A pattern of a spec that is no RE2 expression: the check can neither pass nor fail. */
export class InvalidPatternError extends Error {
  override readonly name = 'InvalidPatternError';
}

// A watch evaluates the same few patterns every ten seconds; 256 covers the checks of a large project.
const MAX_COMPILED = 256;
const compiled = new Map<string, RE2JS>();

/** RE2 semantics, found anywhere in the text; linear in the text, so a check cannot hang its prober. Throws `InvalidPatternError`. */
export function patternFound(pattern: string, text: string): boolean {
  return compile(pattern).matcher(text).find();
}

/** The first line that the criterion forbids, else null. Throws `InvalidPatternError`. */
export function findLogMatch(criterion: LogCriterion, lines: readonly string[]): string | null {
  return lines.find((line) => patternFound(criterion.mustNotMatch, line)) ?? null;
}

function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known) return known;
  let made: RE2JS;
  try {
    made = RE2JS.compile(pattern);
  } catch (cause) {
    throw new InvalidPatternError(`${JSON.stringify(pattern)} is no RE2 expression`, { cause });
  }
  const oldest = compiled.keys().next();
  if (compiled.size >= MAX_COMPILED && !oldest.done) compiled.delete(oldest.value);
  compiled.set(pattern, made);
  return made;
}
