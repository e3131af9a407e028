import type { Criterion, HttpCriterion } from '@dbox/contracts';
import { RE2JS } from 're2js';
import type { DocumentPath } from './document-path.ts';
import type { FindingText } from './finding-list.ts';
import { quoted } from './finding-list.ts';
import { readHeaders } from './header-reader.ts';
import { readOwnAddress } from './own-address.ts';
import type { RawAcceptanceItem } from './task-spec-schema.ts';

type Key = keyof RawAcceptanceItem;

/** A long pattern is a mistake, and compiling one takes the manager's time. */
const MAX_PATTERN_LENGTH = 1000;

const KEYS_OF: Readonly<Record<Criterion['kind'], readonly Key[]>> = {
  http: [
    'url',
    'method',
    'headers',
    'body',
    'should_respond',
    'contains',
    'matches',
    'json',
    'max_latency_ms',
  ],
  command: ['run', 'exit_code'],
  log: ['log'],
};
const OPENERS = { url: 'http', run: 'command', log: 'log' } as const;
/** Written again in a later item, these add up; any other key would contradict itself. */
const ADDING_KEYS: readonly Key[] = ['contains', 'matches'];

/** One criterion while its items are put together. */
interface OpenCriterion {
  readonly kind: Criterion['kind'];
  readonly merged: RawAcceptanceItem;
  /** Where each key was written. */
  readonly paths: Map<Key, DocumentPath>;
}

export type ReportAt = (path: DocumentPath, text: FindingText) => void;

/** Criteria from items that are whole or split; see `rawAcceptanceItemSchema`. Paths are within the list. */
export function readAcceptance(items: readonly RawAcceptanceItem[], report: ReportAt): Criterion[] {
  const open: OpenCriterion[] = [];
  for (const [index, item] of items.entries()) {
    const keys = (Object.keys(item) as Key[]).filter((key) => item[key] !== undefined);
    const openers = (Object.keys(OPENERS) as (keyof typeof OPENERS)[]).filter((key) => keys.includes(key));
    if (openers.length > 1) {
      report([index, openers[1]!], {
        code: 'mixed_criterion',
        message: `One item holds ${openers.map((key) => `\`${key}\``).join(' and ')}.`,
        hint: 'Write each as an item of its own.',
      });
      continue;
    }
    if (openers.length === 1) {
      open.push({ kind: OPENERS[openers[0]!], merged: {}, paths: new Map() });
    } else if (keys.length === 0) {
      report([index], { code: 'bad_value', message: 'The item is empty.', hint: 'Delete it.' });
    }
    const current = open.at(-1);
    if (current === undefined) {
      if (keys.length > 0) {
        report([index], {
          code: 'refines_nothing',
          message: `\`${keys[0]}\` stands before any \`url\`, \`run\` or \`log\`.`,
          hint: 'Begin with `- url: http://devsite:8080`.',
        });
      }
      continue;
    }
    for (const key of keys) mergeKey(current, { key, value: item[key], path: [index, key] }, report);
  }
  return open.map((criterion) => finish(criterion, report)).filter((criterion) => criterion !== null);
}

function mergeKey(
  open: OpenCriterion,
  { key, value, path }: { key: Key; value: unknown; path: DocumentPath },
  report: ReportAt,
): void {
  if (!KEYS_OF[open.kind].includes(key)) {
    const owner = (Object.keys(KEYS_OF) as Criterion['kind'][]).find((kind) => KEYS_OF[kind].includes(key))!;
    report(path, {
      code: 'mixed_criterion',
      message: `\`${key}\` does not belong to a criterion with \`${KEYS_OF[open.kind][0]}\`.`,
      hint: `Put it after an item with \`${KEYS_OF[owner][0]}\`.`,
    });
    return;
  }
  const merged = open.merged as Record<Key, unknown>;
  if (merged[key] === undefined) merged[key] = value;
  else if (ADDING_KEYS.includes(key)) merged[key] = [...listOf(merged[key]), ...listOf(value)];
  else {
    report(path, {
      code: 'duplicate_key',
      message: `\`${key}\` is given twice for one criterion.`,
      hint: 'Keep one of them, or begin a new criterion with its own `url`.',
    });
    return;
  }
  open.paths.set(key, path);
}

function listOf<T>(value: T | readonly T[] | undefined): T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? [...value] : [value as T];
}

/** Null where something is wrong with it. */
function finish({ kind, merged, paths }: OpenCriterion, report: ReportAt): Criterion | null {
  let isGood = true;
  const refuse = (key: Key, text: FindingText) => {
    isGood = false;
    report(paths.get(key) ?? [], text);
  };
  const check = (key: Key, patterns: readonly string[]) => {
    for (const pattern of patterns) {
      const problem = patternProblem(pattern);
      if (problem !== null) refuse(key, problem);
    }
  };
  let criterion: Criterion;
  if (kind === 'command') criterion = { kind, run: merged.run!, exitCode: merged.exit_code ?? 0 };
  else if (kind === 'log') {
    criterion = { kind, mustNotMatch: merged.log!.must_not_match };
    check('log', [criterion.mustNotMatch]);
  } else {
    criterion = readHttp(merged, refuse);
    check('matches', criterion.matches);
  }
  return isGood ? criterion : null;
}

function readHttp(merged: RawAcceptanceItem, refuse: (key: Key, text: FindingText) => void): HttpCriterion {
  const address = readOwnAddress(merged.url!);
  if ('code' in address) refuse('url', address);
  const headers = readHeaders(merged.headers ?? {});
  if ('code' in headers) refuse('headers', headers);
  const method = merged.method ?? 'GET';
  if (merged.body !== undefined && (method === 'GET' || method === 'HEAD')) {
    refuse('body', {
      code: 'bad_value',
      message: `A ${method} request carries no body.`,
      hint: 'Add `method: POST`.',
    });
  }
  const statuses = new Set(merged.should_respond === undefined ? [200] : listOf(merged.should_respond));
  return {
    kind: 'http',
    path: 'path' in address ? address.path : '/',
    method,
    headers: 'headers' in headers ? headers.headers : {},
    body: merged.body ?? null,
    statuses: [...statuses].sort((a, b) => a - b),
    contains: listOf(merged.contains),
    matches: listOf(merged.matches),
    json: merged.json ?? {},
    maxLatencyMs: merged.max_latency_ms ?? null,
  };
}

function patternProblem(pattern: string): FindingText | null {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    return {
      code: 'bad_regex',
      message: `The pattern is longer than ${MAX_PATTERN_LENGTH} characters.`,
      hint: 'Split it.',
    };
  }
  try {
    RE2JS.compile(pattern);
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'unknown';
    return {
      code: 'bad_regex',
      message: `${quoted(pattern)} is no RE2 pattern: ${reason.slice(0, 120)}.`,
      hint: 'RE2 has no look-ahead, look-behind or back-references; escape a literal character with \\.',
    };
  }
}
