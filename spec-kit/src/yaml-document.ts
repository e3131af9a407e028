import { isScalar, LineCounter, parseAllDocuments } from 'yaml';
import type { DocumentPath } from './document-path.ts';
import { formatPath } from './document-path.ts';
import type { FindingList, Place } from './finding-list.ts';
import { START_OF_FILE } from './finding-list.ts';
import type { YamlValue } from './yaml-value.ts';
import { buildYamlValue } from './yaml-value.ts';

/** One YAML document as plain JSON values, with the way back to the text. */
export interface YamlDocument {
  readonly value: unknown;
  /** Where the value of this path stands, or the nearest one above it that was written down. */
  locate(path: DocumentPath): Place;
  /** Where the key of this path stands. */
  locateKey(path: DocumentPath): Place;
  /** The scalar as it was typed, such as `001`; null for anything else. */
  typed(path: DocumentPath): string | null;
}

/**
 * Parses YAML 1.2 (core schema) that anybody may have written. Never throws and never hangs: the size
 * is capped, the parser is linear and bounds its own recursion, aliases are written out under a node
 * budget. Empty documents are left out.
 */
export function parseYaml(options: {
  readonly text: string;
  readonly maxBytes: number;
  readonly findings: FindingList;
}): YamlDocument[] {
  const { findings, maxBytes } = options;
  if (Buffer.byteLength(options.text) > maxBytes) {
    findings.add(START_OF_FILE, {
      code: 'too_large',
      message: `The file is larger than ${maxBytes / 1024} KiB.`,
      hint: 'Split it into several files.',
    });
    return [];
  }
  // A byte order mark is what some editors put before UTF-8.
  const text = options.text.startsWith('\ufeff') ? options.text.slice(1) : options.text;
  const lineCounter = new LineCounter();
  const placeAt = (offset: number, path: DocumentPath): Place => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col), path: formatPath(path) };
  };
  if (!isReadableText(text, findings)) return [];

  const parsed = parseAllDocuments(text, {
    lineCounter,
    // The check for the same key twice is ours: the parser's takes time squared.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    version: '1.2',
    schema: 'core',
  });
  const documents: YamlDocument[] = [];
  const stream = 'empty' in parsed ? [{ ...parsed, contents: null }] : parsed;
  for (const document of stream) {
    const problems = [...document.errors, ...document.warnings];
    for (const problem of problems) {
      findings.add(placeAt(problem.pos[0], []), syntaxFinding(problem.code, problem.message));
    }
    // What stands after an error is often misread, and would be reported a second time.
    if (problems.length > 0) return [];
    if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
      continue;
    }
    const built = buildYamlValue(document.contents, { findings, placeAt });
    if (built === null) return [];
    documents.push(locatable(built, placeAt));
  }
  return documents;
}

function locatable(built: YamlValue, placeAt: (offset: number, path: DocumentPath) => Place): YamlDocument {
  const entryOf = (path: DocumentPath) => built.entries.get(JSON.stringify(path));
  const find = (path: DocumentPath, which: 'keyOffset' | 'valueOffset'): Place => {
    for (let length = path.length; length >= 0; length--) {
      const entry = entryOf(path.slice(0, length));
      const offset = entry?.[which] ?? entry?.keyOffset ?? entry?.valueOffset;
      if (offset !== undefined && offset !== null) return placeAt(offset, path);
    }
    return { ...START_OF_FILE, path: formatPath(path) };
  };
  return {
    value: built.value,
    locate: (path) => find(path, 'valueOffset'),
    locateKey: (path) => find(path, 'keyOffset'),
    typed: (path) => entryOf(path)?.typed ?? null,
  };
}

function isReadableText(text: string, findings: FindingList): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  const odd = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]/.exec(text);
  if (odd === null) return true;
  const before = text.slice(0, odd.index).split('\n');
  const place = { line: before.length, column: before.at(-1)!.length + 1, path: '' };
  if (odd[0] === '\ufffd' || (odd[0] === '\u0000' && text.indexOf('\u0000', odd.index + 1) > 0)) {
    findings.add(place, {
      code: 'wrong_encoding',
      message: 'The file is not UTF-8 text.',
      hint: 'Save it as UTF-8.',
    });
  } else {
    findings.add(place, {
      code: 'control_character',
      message: `The character U+${odd[0].charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()} is not allowed.`,
      hint: 'Delete it.',
    });
  }
  return false;
}

function syntaxFinding(code: string, message: string) {
  const first = message.split('\n')[0]!.slice(0, 200);
  if (code === 'RESOURCE_EXHAUSTION') {
    return { code: 'too_deep', message: 'The document is nested too deeply.', hint: 'Flatten it.' };
  }
  if (code === 'TAG_RESOLVE_FAILED') {
    return { code: 'yaml_tag', message: first, hint: 'Leave the tag (`!…`) out and write a plain value.' };
  }
  const hints: Record<string, string> = {
    TAB_AS_INDENT: 'Indent with spaces.',
    BAD_INDENT: 'Indent all keys of one map by the same number of spaces.',
    BAD_ALIAS: 'Write the value out instead of an alias.',
    MISSING_CHAR: 'Close the quote or bracket.',
    BLOCK_AS_IMPLICIT_KEY: 'Put a value that holds ": " in quotes, or begin a new line.',
    BAD_SCALAR_START: 'Put the value in quotes.',
  };
  return { code: 'yaml_syntax', message: first, hint: hints[code] ?? 'Mend the YAML at this place.' };
}
