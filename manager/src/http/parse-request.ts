import type { Finding, RouteContract } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import type { z } from 'zod';

/** Where in a request something stands; shown as the `file` of a finding. */
type Part = 'path' | 'query' | 'body';

const MAX_FINDINGS = 20;

/** Parsed by the contract, or a problem that names each path and what is wrong there. Unknown keys are wrong. */
export function parsePart(schema: z.ZodType, value: unknown, part: Part): unknown {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    throw refusal(
      part,
      parsed.error.issues.flatMap((issue) => findingsOf(issue, part)),
    );
  }
  const findings: Finding[] = [];
  compare(value, parsed.data, '', part, findings);
  if (findings.length > 0) throw refusal(part, findings);
  return parsed.data;
}

/** The query as it was sent, before its contract. Throws for a key that is unknown or comes twice. */
export function readQuery(url: string, contract: RouteContract): Record<string, string> {
  const values: Record<string, string> = {};
  const start = url.indexOf('?');
  if (start === -1) return values;
  const shape = contract.query?.shape ?? {};
  for (const [key, value] of new URLSearchParams(url.slice(start + 1))) {
    if (!Object.hasOwn(shape, key)) {
      const known = Object.keys(shape);
      const hint = known.length === 0 ? 'Nothing is asked here.' : `Known here: ${known.join(', ')}.`;
      throw refusal('query', [finding('query', key, 'unrecognized_keys', 'This key is not known.', hint)]);
    }
    if (Object.hasOwn(values, key)) {
      throw refusal('query', [
        finding('query', key, 'repeated_key', 'It stands here twice.', 'Give it once.'),
      ]);
    }
    values[key] = value;
  }
  return values;
}

/**
 * What a schema did not take over, it did not know. Comparing finds such keys at every depth and in
 * unions, where `.strict()` would have to be repeated on each object. Strings that no UTF-8 can hold
 * (lone surrogates) are refused as well: stored and read again they would no longer be the same, and
 * the ledger hashes what it stores.
 */
function compare(given: unknown, taken: unknown, path: string, part: Part, findings: Finding[]): void {
  if (findings.length >= MAX_FINDINGS) return;
  if (typeof given === 'string') {
    if (!given.isWellFormed()) {
      findings.push(
        finding(
          part,
          path,
          'invalid_text',
          'This text is not valid Unicode.',
          'Mend or leave out the broken letter.',
        ),
      );
    }
    return;
  }
  if (typeof given !== 'object' || given === null || typeof taken !== 'object' || taken === null) return;
  if (Array.isArray(given)) {
    for (let n = 0; n < given.length; n += 1) {
      compare(given[n], (taken as unknown[])[n], `${path}[${n}]`, part, findings);
    }
    return;
  }
  for (const key of Object.keys(given)) {
    const at = path === '' ? key : `${path}.${key}`;
    if (Object.hasOwn(taken, key)) {
      compare(
        (given as Record<string, unknown>)[key],
        (taken as Record<string, unknown>)[key],
        at,
        part,
        findings,
      );
    } else {
      const known = Object.keys(taken).join(', ');
      findings.push(
        finding(
          part,
          at,
          'unrecognized_keys',
          'This key is not known.',
          known === '' ? 'Leave it out.' : `Leave it out; beside it stand ${known}.`,
        ),
      );
    }
  }
}

function findingsOf(issue: z.core.$ZodIssue, part: Part): Finding[] {
  const path = pathText(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) =>
      finding(
        part,
        path === '' ? key : `${path}.${key}`,
        issue.code,
        'This key is not known.',
        'Leave it out.',
      ),
    );
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The option that fits best is the one the sender meant: its complaints lie deepest, and are fewest.
    const [best] = [...issue.errors].sort((a, b) => depthOf(b) - depthOf(a) || a.length - b.length);
    return best!.flatMap((inner) =>
      findingsOf({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, part),
    );
  }
  return [finding(part, path, issue.code ?? 'invalid', issue.message, '')];
}

/** Complaints about what kind of thing it is (a literal) weigh nothing. */
function depthOf(issues: readonly z.core.$ZodIssue[]): number {
  if (issues.some(({ code, path }) => code === 'invalid_value' && path.length === 1)) return -1;
  return Math.max(...issues.map(({ path }) => path.length));
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : text === '' ? String(step) : `${text}.${String(step)}`,
    '',
  );
}

function finding(part: Part, path: string, code: string, message: string, hint: string): Finding {
  return { code, severity: 'error', file: part, line: 1, column: 1, path: path.slice(0, 200), message, hint };
}

function refusal(part: Part, findings: readonly Finding[]): ProblemError {
  const [first] = findings;
  const at = first?.path ? `\`${first.path}\`` : 'it';
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  const hint = first?.hint ? ` ${first.hint}` : '';
  return new ProblemError(
    'invalid_request',
    `The ${part} is not right at ${at}: ${first?.message}${more}${hint}`,
    {
      findings: findings.slice(0, MAX_FINDINGS),
    },
  );
}
