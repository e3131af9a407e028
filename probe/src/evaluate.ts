import { isDeepStrictEqual } from 'node:util';
import type { HttpCriterion } from '@dbox/contracts';
import { InvalidPatternError, patternFound } from './patterns.ts';

export interface ProbeResponse {
  readonly status: number;
  /** Where a redirect points to; probes do not follow it. */
  readonly location: string | null;
  readonly body: string;
  /** The body went on past what was read. */
  readonly bodyWasCut: boolean;
  /** From the start of the request to the last byte read. */
  readonly latencyMs: number;
}

export interface Evaluation {
  readonly ok: boolean;
  /** One sentence for people: what was expected and what was seen. */
  readonly detail: string;
}

/** Judges one response. The first expectation that does not hold is the one that is named. */
export function evaluateHttp(criterion: HttpCriterion, response: ProbeResponse): Evaluation {
  const request = `${criterion.method} ${excerpt(criterion.path)}`;
  const failed = (what: string): Evaluation => ({ ok: false, detail: `${request} ${what}` });
  const where = response.bodyWasCut ? 'the part of the body that was read' : 'the body';

  if (!criterion.statuses.includes(response.status)) {
    const to = response.location === null ? '' : ` (to ${excerpt(response.location)})`;
    return failed(`answered ${response.status}${to}, expected ${criterion.statuses.join(' or ')}`);
  }
  for (const text of criterion.contains) {
    if (!response.body.includes(text)) return failed(`answered without "${excerpt(text)}" in ${where}`);
  }
  for (const pattern of criterion.matches) {
    try {
      if (!patternFound(pattern, response.body))
        return failed(`answered, but /${excerpt(pattern)}/ is not in ${where}`);
    } catch (error) {
      if (error instanceof InvalidPatternError) return failed(`cannot be judged: ${excerpt(error.message)}`);
      throw error;
    }
  }
  const wrong = wrongJson(criterion.json, response.body);
  if (wrong !== null) return failed(wrong);
  if (criterion.maxLatencyMs !== null && response.latencyMs > criterion.maxLatencyMs) {
    return failed(`took ${Math.round(response.latencyMs)} ms, expected at most ${criterion.maxLatencyMs} ms`);
  }
  return {
    ok: true,
    detail: `${request} answered ${response.status} in ${Math.round(response.latencyMs)} ms`,
  };
}

function wrongJson(expected: HttpCriterion['json'], body: string): string | null {
  const paths = Object.entries(expected);
  if (paths.length === 0) return null;
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    return 'answered, but the body is no JSON';
  }
  for (const [path, value] of paths) {
    const found = valueAt(document, path);
    if (found === undefined) return `answered JSON without ${excerpt(path)}`;
    if (!isDeepStrictEqual(found, value)) {
      return `answered ${excerpt(JSON.stringify(found))} at ${excerpt(path)}, expected ${excerpt(JSON.stringify(value))}`;
    }
  }
  return null;
}

/** `items.0.name`; a leading `$` names the document itself. Only own properties, so `constructor` is not found. */
function valueAt(document: unknown, path: string): unknown {
  const steps = path.split('.').filter((step, index) => !(index === 0 && (step === '$' || step === '')));
  let value: unknown = document;
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

const EXCERPT_LENGTH = 160;

/** Text of a spec or a response as it may stand in a sentence: one line, printable, short. */
export function excerpt(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ');
  return line.length <= EXCERPT_LENGTH ? line : `${line.slice(0, EXCERPT_LENGTH)}…`;
}
