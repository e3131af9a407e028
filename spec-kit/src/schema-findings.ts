import type { z } from 'zod';
import { closestWord } from './closest-word.ts';
import type { DocumentPath } from './document-path.ts';
import type { FindingList, FindingText } from './finding-list.ts';
import { quoted } from './finding-list.ts';
import type { YamlDocument } from './yaml-document.ts';

type Issue = z.core.$ZodIssue;

export interface SchemaReading {
  readonly document: YamlDocument;
  /** Path of what is read within the document. */
  readonly at: DocumentPath;
  readonly findings: FindingList;
  /** A line of YAML that shows how a key is written, by key. */
  readonly examples: Readonly<Record<string, string>>;
  /** Words that people write for a key, which no spelling distance would find. */
  readonly synonyms: Readonly<Record<string, string>>;
}

/** The value in the shape of the schema, or null with the reasons among the findings. */
export function readBySchema<S extends z.ZodType>(
  schema: S,
  value: unknown,
  reading: SchemaReading,
): z.output<S> | null {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) addIssue(issue, { value, schema, reading });
  return null;
}

interface IssueSite {
  readonly value: unknown;
  readonly schema: z.ZodType;
  readonly reading: SchemaReading;
}

function addIssue(issue: Issue, site: IssueSite): void {
  const { reading } = site;
  const path = issue.path as DocumentPath;
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      const place = reading.document.locateKey([...reading.at, ...path, key]);
      reading.findings.add(place, unknownKey(key, keysAt(site.schema, path), reading.synonyms));
    }
    return;
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The branch that got furthest into the value is the one that was meant.
    const deepest = [...issue.errors].sort((a, b) => depthOf(b) - depthOf(a))[0]!;
    if (depthOf(deepest) > 0) {
      for (const inner of deepest)
        addIssue({ ...inner, path: [...issue.path, ...inner.path] } as Issue, site);
      return;
    }
  }
  const place = reading.document.locate([...reading.at, ...path]);
  reading.findings.add(place, describe(issue, path, site));
}

function depthOf(issues: readonly Issue[]): number {
  return Math.max(
    0,
    ...issues.map((issue) => issue.path.length + (issue.code === 'unrecognized_keys' ? 1 : 0)),
  );
}

function describe(issue: Issue, path: DocumentPath, { value, reading }: IssueSite): FindingText {
  const written = valueAt(value, path);
  const key = [...path].reverse().find((step) => typeof step === 'string');
  const example = key !== undefined && Object.hasOwn(reading.examples, key) ? reading.examples[key]! : null;
  const hint = example === null ? 'See docs/task-spec.md.' : `Write for example \`${example}\`.`;
  const name = key === undefined ? 'The document' : quoted(key);
  if (written === undefined) return { code: 'missing_key', message: `${name} is missing.`, hint };
  if (issue.code === 'invalid_value' || (issue.code === 'invalid_union' && issue.errors.length === 0)) {
    const allowed = issue.code === 'invalid_value' ? issue.values.map(String) : [];
    const near = typeof written === 'string' ? closestWord(written, allowed) : null;
    return {
      code: 'bad_value',
      message: `${quoted(written)} is none of the values of ${name}.`,
      hint:
        near !== null
          ? `Did you mean ${quoted(near)}?`
          : allowed.length > 0
            ? `One of: ${allowed.join(', ')}.`
            : hint,
    };
  }
  if (issue.code === 'invalid_type' || issue.code === 'invalid_union') {
    const typed = reading.document.typed([...reading.at, ...path]);
    if (issue.code === 'invalid_type' && issue.expected === 'string' && typed && isPlainScalar(written)) {
      return {
        code: 'wrong_type',
        message: `${name} must be text, but YAML reads ${typed.slice(0, 60)} as a ${typeof written}.`,
        hint: `Put it in quotes: ${quoted(typed)}.`,
      };
    }
    const wanted = expectedOf(issue)
      .map((type) => WORDS[type] ?? type)
      .join(' or ');
    return { code: 'wrong_type', message: `${name} is ${wordFor(written)}, it must be ${wanted}.`, hint };
  }
  const code = key === 'id' || key === 'depends_on' || key === 'retires' ? 'bad_id' : 'bad_value';
  return { code, message: `${name} cannot be ${quoted(written)}: ${issue.message}.`, hint };
}

/** The types that would have been good here. */
function expectedOf(issue: Issue): string[] {
  if (issue.code === 'invalid_type') return [issue.expected];
  const inner = issue.code === 'invalid_union' ? issue.errors.flat() : [];
  return [...new Set(inner.filter((one) => one.path.length === 0).flatMap(expectedOf))];
}

const WORDS: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of keys',
  boolean: 'true or false',
};

function wordFor(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object'
    ? 'a map of keys'
    : typeof value === 'string'
      ? 'text'
      : `a ${typeof value}`;
}

function isPlainScalar(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

function valueAt(value: unknown, path: DocumentPath): unknown {
  let current = value;
  for (const step of path) {
    if (current === null || typeof current !== 'object' || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string | number, unknown>)[step];
  }
  return current;
}

function unknownKey(
  key: string,
  allowed: readonly string[],
  synonyms: Readonly<Record<string, string>>,
): FindingText {
  const synonym = Object.hasOwn(synonyms, key) ? synonyms[key]! : null;
  const near = synonym !== null && allowed.includes(synonym) ? synonym : closestWord(key, allowed);
  return {
    code: 'unknown_key',
    message: `There is no key ${quoted(key)} here.`,
    hint: near !== null ? `Did you mean \`${near}\`?` : `Known keys: ${allowed.join(', ')}.`,
  };
}

/** The keys that the schema knows at this path. */
function keysAt(schema: z.ZodType, path: DocumentPath): string[] {
  const found = new Set<string>();
  collectKeys(schema, path, found);
  return [...found];
}

function collectKeys(schema: unknown, path: DocumentPath, found: Set<string>): void {
  const node = schema as {
    shape?: Record<string, unknown>;
    element?: unknown;
    options?: readonly unknown[];
    unwrap?: () => unknown;
  };
  if (node.options) for (const option of node.options) collectKeys(option, path, found);
  else if (node.shape) {
    const [step, ...rest] = path;
    if (step === undefined) for (const key of Object.keys(node.shape)) found.add(key);
    else collectKeys(node.shape[step], rest, found);
  } else if (node.element) collectKeys(node.element, path.slice(1), found);
  else if (node.unwrap) collectKeys(node.unwrap(), path, found);
}
