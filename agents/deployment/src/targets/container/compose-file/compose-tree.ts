import type { Node } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { FindingList, Place } from '../findings/finding-list.ts';
import { quoted, START_OF_FILE } from '../findings/finding-list.ts';

/** A value of the file where it was written, with anchors and merges written out. */
export type ComposeNode = TextNode | ListNode | MapNode;

export interface TextNode {
  readonly kind: 'text';
  readonly place: Place;
  /** As it was typed (`1.10`, `080`), without quotes; empty for nothing. Not interpolated. */
  readonly text: string;
  readonly type: 'string' | 'number' | 'boolean' | 'null';
}

export interface ListNode {
  readonly kind: 'list';
  readonly place: Place;
  readonly items: readonly ComposeNode[];
}

export interface MapNode {
  readonly kind: 'map';
  readonly place: Place;
  readonly entries: ReadonlyMap<string, MapEntry>;
}

export interface MapEntry {
  readonly keyPlace: Place;
  readonly value: ComposeNode;
}

/** The largest compose files of real projects have a tenth of this. */
const MAX_BYTES = 256 * 1024;
const MAX_DEPTH = 30;
/** Once aliases and merges are written out; a file of the largest size that holds real content has fewer. */
const MAX_NODES = 50_000;

/** Thrown and caught in this file alone: there is no sense in reading on. */
class GivenUp extends Error {}

/**
 * Reads YAML that anybody may have written: never throws, never hangs. Size, depth and the number of
 * nodes are bounded, and the parser is linear. Null with an error among the findings.
 */
export function parseComposeTree(written: string, findings: FindingList): MapNode | null {
  const text = written.startsWith('\ufeff') ? written.slice(1) : written;
  if (!isReadable(text, findings)) return null;
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    // The check for the same key twice is ours: the parser's takes time squared.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    version: '1.2',
    schema: 'core',
  });
  const placeAt = (offset: number, path: string): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col), path };
  };
  const all = 'empty' in documents ? [] : documents;
  for (const problem of all.flatMap((one) => [...one.errors, ...one.warnings])) {
    findings.add(placeAt(problem.pos[0], ''), {
      code: problem.code === 'RESOURCE_EXHAUSTION' ? 'too_deep' : 'yaml_syntax',
      message: problem.message.split('\n')[0]!.slice(0, 200),
      hint: HINTS[problem.code] ?? 'Mend the YAML at this place.',
    });
  }
  if (findings.hasError()) return null;
  const [document, second] = all.filter(
    ({ contents }) => contents !== null && !(isScalar(contents) && contents.value === null),
  );
  if (document === undefined) {
    findings.add(START_OF_FILE, {
      code: 'empty_document',
      message: 'The file is empty.',
      hint: 'Write `services:` and a service below it, or delete the file.',
    });
    return null;
  }
  if (second !== undefined) {
    findings.add(placeAt(second.contents?.range?.[0] ?? 0, ''), {
      code: 'bad_value',
      message: 'The file holds more than one document.',
      hint: 'Keep what stands before the second `---`.',
    });
    return null;
  }
  return build(document.contents as Node, { findings, placeAt });
}

const HINTS: Record<string, string> = {
  TAB_AS_INDENT: 'Indent with spaces.',
  BAD_INDENT: 'Indent all keys of one map by the same number of spaces.',
  BAD_ALIAS: 'Write the value out instead of an alias.',
  MISSING_CHAR: 'Close the quote or bracket.',
  RESOURCE_EXHAUSTION: 'Flatten it.',
  TAG_RESOLVE_FAILED: 'Leave the tag (`!…`) out and write a plain value.',
};

function isReadable(text: string, findings: FindingList): boolean {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    findings.add(START_OF_FILE, {
      code: 'too_large',
      message: `The file is larger than ${MAX_BYTES / 1024} KiB.`,
      hint: 'Keep only the services of this project in it.',
    });
    return false;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  const odd = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]/.exec(text);
  if (odd === null) return true;
  const before = text.slice(0, odd.index).split('\n');
  const place = { line: before.length, column: before.at(-1)!.length + 1, path: '' };
  const isText = odd[0] !== '\ufffd' && odd[0] !== '\0';
  findings.add(place, {
    code: isText ? 'control_character' : 'wrong_encoding',
    message: isText ? 'A control character is not allowed.' : 'The file is not UTF-8 text.',
    hint: isText ? 'Delete it.' : 'Save it as UTF-8.',
  });
  return false;
}

interface Around {
  readonly findings: FindingList;
  readonly placeAt: (offset: number, path: string) => Place;
}

function build(root: Node, around: Around): MapNode | null {
  const builder = new TreeBuilder(around);
  try {
    const tree = builder.visit(root, '', 0);
    if (tree.kind === 'map') return around.findings.hasError() ? null : tree;
    around.findings.add(tree.place, {
      code: 'wrong_type',
      message: 'The file is no map of keys.',
      hint: 'Write `services:` and a service below it.',
    });
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
  }
  return null;
}

class TreeBuilder {
  /** The latest node of each anchor, in the order of the file: what an alias means. */
  readonly #anchors = new Map<string, Node>();
  readonly #around: Around;
  #nodeCount = 0;

  constructor(around: Around) {
    this.#around = around;
  }

  visit(node: Node | null, path: string, depth: number, keyOffset = 0): ComposeNode {
    const place = this.#around.placeAt(node?.range?.[0] ?? keyOffset, path);
    if (depth > MAX_DEPTH) this.#giveUp(place, 'too_deep', 'The file is nested too deeply.', 'Flatten it.');
    if (++this.#nodeCount > MAX_NODES) {
      const message = 'The file is too large once its aliases are written out.';
      this.#giveUp(place, 'too_many_aliases', message, 'Write values out instead of aliases (`*name`).');
    }
    if (isAlias(node)) return this.visit(this.#targetOf(node.source, place), path, depth + 1);
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor) this.#anchors.set(node.anchor, node);
    if (isSeq(node)) {
      const items = node.items.map((item, n) => this.visit(item as Node, `${path}[${n}]`, depth + 1));
      return { kind: 'list', place, items };
    }
    if (isMap(node)) return this.#visitMap(node.items as Pair[], { path, depth, place });
    return textOf(isScalar(node) ? node : null, place);
  }

  #targetOf(name: string, place: Place): Node {
    const target = this.#anchors.get(name);
    if (target !== undefined) return target;
    const message = `No anchor &${name.slice(0, 60)} stands before this alias.`;
    return this.#giveUp(place, 'unknown_alias', message, 'Write the value out.');
  }

  #visitMap(pairs: readonly Pair[], at: { path: string; depth: number; place: Place }): MapNode {
    const { path, depth, place } = at;
    const entries = new Map<string, MapEntry>();
    const merged: MapEntry[] = [];
    for (const { key, value } of pairs) {
      const keyOffset = key?.range?.[0] ?? 0;
      const name = isScalar(key) && key.value !== null ? String(key.source ?? key.value) : null;
      const keyPlace = this.#around.placeAt(keyOffset, name === null ? path : pathOf(path, name));
      if (name === null || name === '__proto__' || name.includes('\0')) {
        const hint = 'Write a plain word before the colon.';
        this.#around.findings.add(keyPlace, { code: 'bad_key', message: 'This cannot be a key.', hint });
      } else if (name === '<<' && (key as { type?: string }).type === 'PLAIN') {
        merged.push({ keyPlace, value: this.visit(value, path, depth + 1, keyOffset) });
      } else if (entries.has(name)) {
        const message = `The key ${quoted(name)} is written twice.`;
        this.#around.findings.add(keyPlace, { code: 'duplicate_key', message, hint: 'Keep one of them.' });
      } else {
        entries.set(name, { keyPlace, value: this.visit(value, keyPlace.path, depth + 1, keyOffset) });
      }
    }
    // What a map says itself counts; of several that are merged in, the first.
    for (const source of merged) this.#mergeInto(entries, source);
    return { kind: 'map', place, entries };
  }

  #mergeInto(entries: Map<string, MapEntry>, { keyPlace, value }: MapEntry): void {
    for (const source of value.kind === 'list' ? value.items : [value]) {
      if (source.kind !== 'map') {
        this.#around.findings.add(keyPlace, {
          code: 'wrong_type',
          message: 'Only a map can be merged in by `<<`.',
          hint: 'Write `<<: *name` with an anchor before a map.',
        });
        return;
      }
      for (const [name, entry] of source.entries) if (!entries.has(name)) entries.set(name, entry);
    }
  }

  #giveUp(place: Place, code: string, message: string, hint: string): never {
    this.#around.findings.add(place, { code, message, hint });
    throw new GivenUp();
  }
}

interface Pair {
  readonly key: Node | null;
  readonly value: Node | null;
}

function textOf(scalar: { value: unknown; source?: string } | null, place: Place): TextNode {
  const value = scalar?.value ?? null;
  if (value === null) return { kind: 'text', place, text: '', type: 'null' };
  if (typeof value === 'string') return { kind: 'text', place, text: value, type: 'string' };
  const type = typeof value === 'boolean' ? 'boolean' : 'number';
  return { kind: 'text', place, text: scalar?.source ?? String(value), type };
}

function pathOf(path: string, key: string): string {
  const isWord = /^[A-Za-z_][A-Za-z0-9_-]{0,60}$/.test(key);
  if (isWord) return path === '' ? key : `${path}.${key}`;
  return `${path}[${quoted(key.slice(0, 60))}]`;
}
