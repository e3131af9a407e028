import type { Node } from 'yaml';
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { DocumentPath } from './document-path.ts';
import type { FindingList, Place } from './finding-list.ts';
import { quoted } from './finding-list.ts';

/** Deeper than any spec, and shallow enough for every recursive walk over the value. */
const MAX_DEPTH = 40;
/** Nodes once aliases are written out; a text of the largest size that holds real content has about 20,000. */
const MAX_NODES = 50_000;

/** Where one path of the value stands in the text, as offsets. */
interface Entry {
  /** Null for items of lists and for the root. */
  readonly keyOffset: number | null;
  /** Null where nothing was written after the key. */
  readonly valueOffset: number | null;
  readonly typed: string | null;
}

export interface YamlValue {
  /** Objects, arrays, strings, numbers, booleans and null; no key is `__proto__`. */
  readonly value: unknown;
  /** By the JSON of the path. */
  readonly entries: ReadonlyMap<string, Entry>;
}

interface Around {
  readonly findings: FindingList;
  readonly placeAt: (offset: number, path: DocumentPath) => Place;
}

/** Thrown and caught in this file alone: the document is too much to go on with. */
class GivenUp extends Error {}

/** Null where there is no sense in reading on; the reason is among the findings. */
export function buildYamlValue(root: Node, around: Around): YamlValue | null {
  const builder = new Builder(around);
  try {
    const value = builder.visit(root, [], null);
    return builder.isGood ? { value, entries: builder.entries } : null;
  } catch (error) {
    if (error instanceof GivenUp) return null;
    throw error;
  }
}

class Builder {
  readonly entries = new Map<string, Entry>();
  isGood = true;
  /** The latest node of each anchor, in document order: what an alias means. */
  readonly #anchors = new Map<string, Node>();
  readonly #around: Around;
  #nodeCount = 0;

  constructor(around: Around) {
    this.#around = around;
  }

  visit(node: Node | null, path: DocumentPath, keyOffset: number | null): unknown {
    const offset = node?.range?.[0] ?? keyOffset ?? 0;
    if (path.length > MAX_DEPTH) {
      this.#giveUp(offset, [], 'too_deep', 'The document is nested too deeply.', 'Flatten it.');
    }
    if (++this.#nodeCount > MAX_NODES) {
      this.#giveUp(
        offset,
        [],
        'too_many_aliases',
        'The document is too large once its aliases are written out.',
        'Write the values out instead of aliases (`*name`).',
      );
    }
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target !== undefined) return this.visit(target, path, keyOffset);
      this.#add(offset, path, {
        code: 'unknown_alias',
        message: `No anchor &${node.source.slice(0, 60)} stands before this alias.`,
        hint: 'Write the value out.',
      });
      return null;
    }
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor) this.#anchors.set(node.anchor, node);
    const typed = isScalar(node) && typeof node.source === 'string' ? node.source : null;
    const isEmpty = node === null || (isScalar(node) && node.value === null && !typed);
    this.entries.set(JSON.stringify(path), { keyOffset, valueOffset: isEmpty ? null : offset, typed });
    if (isSeq(node)) return node.items.map((item, index) => this.visit(item as Node, [...path, index], null));
    if (isMap(node)) return this.#visitMap(node.items as { key: Node; value: Node | null }[], path);
    return isScalar(node) ? this.#visitScalar(node.value, offset, path) : null;
  }

  #visitScalar(value: unknown, offset: number, path: DocumentPath): unknown {
    if (typeof value === 'string' && value.includes('\0')) {
      this.#add(offset, path, {
        code: 'control_character',
        message: 'A NUL character is not allowed.',
        hint: 'Delete it.',
      });
      return '';
    }
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value;
    this.#add(offset, path, {
      code: 'yaml_tag',
      message: 'This kind of YAML value is not supported.',
      hint: 'Write a plain string, number or boolean.',
    });
    return null;
  }

  #visitMap(pairs: readonly { key: Node; value: Node | null }[], path: DocumentPath): object {
    const map: Record<string, unknown> = {};
    for (const { key: keyNode, value } of pairs) {
      const keyOffset = keyNode?.range?.[0] ?? 0;
      const key = this.#keyOf(keyNode, keyOffset, path);
      if (key === null) continue;
      if (Object.hasOwn(map, key)) {
        this.#add(keyOffset, [...path, key], {
          code: 'duplicate_key',
          message: `The key ${quoted(key)} is written twice.`,
          hint: 'Keep one of them; several values belong in a list.',
        });
        continue;
      }
      map[key] = this.visit(value, [...path, key], keyOffset);
    }
    return map;
  }

  #keyOf(node: Node, offset: number, path: DocumentPath): string | null {
    const key = isScalar(node) && node.value !== null ? String(node.value) : null;
    if (key !== null && key !== '__proto__' && !key.includes('\0')) return key;
    this.#add(offset, path, {
      code: 'bad_key',
      message: 'This cannot be a key.',
      hint: 'Write a plain word before the colon.',
    });
    return null;
  }

  #add(offset: number, path: DocumentPath, text: { code: string; message: string; hint: string }): void {
    this.isGood = false;
    this.#around.findings.add(this.#around.placeAt(offset, path), text);
  }

  #giveUp(offset: number, path: DocumentPath, code: string, message: string, hint: string): never {
    this.#add(offset, path, { code, message, hint });
    throw new GivenUp();
  }
}
