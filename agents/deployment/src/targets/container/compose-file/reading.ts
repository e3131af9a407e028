import { closestWord } from '../findings/closest-word.ts';
import type { FindingList, FindingText, Place } from '../findings/finding-list.ts';
import { quoted } from '../findings/finding-list.ts';
import type { ComposeNode, ListNode, MapEntry, MapNode, TextNode } from './compose-tree.ts';
import { interpolate } from './interpolation.ts';

/** The environment's settings in clear; null where they are not known yet, as at a build. */
export type Settings = Readonly<Record<string, string>> | null;

/** Reads values of the file one by one; whatever is wrong becomes a finding, and the value null. */
export class Reading {
  readonly #findings: FindingList;
  readonly #settings: Settings;

  constructor(findings: FindingList, settings: Settings) {
    this.#findings = findings;
    this.#settings = settings;
  }

  add(place: Place, text: FindingText): null {
    this.#findings.add(place, text);
    return null;
  }

  /** Something of the file that is not used here, which does no harm but should be known. */
  note(place: Place, message: string, hint: string): void {
    this.#findings.add(place, { code: 'not_used', severity: 'warning', message, hint });
  }

  wrongType(node: ComposeNode, wanted: string): null {
    const found = { text: 'a single value', list: 'a list', map: 'a map of keys' }[node.kind];
    const isEmpty = node.kind === 'text' && node.type === 'null';
    const what = `${nameOf(node.place)} is ${isEmpty ? 'empty' : found}`;
    return this.add(node.place, { code: 'wrong_type', message: `${what}.`, hint: `Write ${wanted}.` });
  }

  map(node: ComposeNode, wanted: string): MapNode | null {
    return node.kind === 'map' ? node : this.wrongType(node, wanted);
  }

  list(node: ComposeNode, wanted: string): ListNode | null {
    return node.kind === 'list' ? node : this.wrongType(node, wanted);
  }

  /**
   * Text without anything of a setting: whatever this goes into can be seen by whoever looks at the
   * container or the image.
   */
  text(node: ComposeNode, wanted: string): string | null {
    if (node.kind !== 'text' || node.type === 'null') return this.wrongType(node, wanted);
    const settings = this.#settings;
    const isSetting = (name: string) => settings !== null && Object.hasOwn(settings, name);
    let setting: string | null = null;
    const read = interpolate(node.text, (name) => {
      if (isSetting(name)) setting ??= name;
      return undefined;
    });
    if (setting !== null) return this.#misplacedSetting(node, setting);
    if (!read.ok) return this.#badInterpolation(node, read);
    return this.#clean(node, read.text);
  }

  /** Text that may hold settings, and whether it does. */
  secretText(node: TextNode): { text: string; isSecret: boolean } | null {
    const settings = this.#settings;
    let isSecret = false;
    // At a build whatever must be set is: with anything, so that `:?` is content, too.
    if (settings === null) {
      const read = interpolate(node.text, () => '1');
      return read.ok ? { text: '', isSecret: false } : this.#badInterpolation(node, read);
    }
    const read = interpolate(node.text, (name) => {
      if (!Object.hasOwn(settings, name)) return undefined;
      isSecret = true;
      return settings[name];
    });
    if (!read.ok) return this.#badInterpolation(node, read);
    const text = this.#clean(node, read.text);
    return text === null ? null : { text, isSecret };
  }

  /** A setting by its name alone. Empty where settings are not known yet. */
  setting(name: string, place: Place): string | null {
    if (this.#settings === null) return '';
    if (Object.hasOwn(this.#settings, name)) return this.#settings[name]!;
    return this.add(place, {
      code: 'setting_missing',
      message: `Nothing is set for ${quoted(name)}.`,
      hint: `Set it with \`dbox env set PROJECT ${name.slice(0, 80)}\`, or give a value here.`,
    });
  }

  settings(): Readonly<Record<string, string>> {
    return this.#settings ?? {};
  }

  boolean(node: ComposeNode): boolean | null {
    const text = this.text(node, '`true` or `false`');
    if (text === null) return null;
    if (text === 'true' || text === 'false') return text === 'true';
    return this.badValue(node, 'Write `true` or `false`.');
  }

  badValue(node: ComposeNode, hint: string): null {
    const value = node.kind === 'text' ? `cannot be ${quoted(node.text)}` : 'cannot be that';
    return this.add(node.place, { code: 'bad_value', message: `${nameOf(node.place)} ${value}.`, hint });
  }

  unknownKey(key: string, { keyPlace }: MapEntry, known: Iterable<string>): null {
    const near = this.#findings.isFull() ? null : closestWord(key, known);
    return this.add(keyPlace, {
      code: 'unknown_key',
      message: `There is no key ${quoted(key)} here.`,
      hint:
        near === null
          ? 'See docs/containers.md for what a compose file may hold.'
          : `Did you mean \`${near}\`?`,
    });
  }

  /** A map, or the list of `KEY=value` that Compose takes in its place; a value is null where there is none. */
  pairs(node: ComposeNode, wanted: string): { key: string; place: Place; value: TextNode | null }[] {
    const found: { key: string; place: Place; value: TextNode | null }[] = [];
    if (node.kind === 'map') {
      for (const [key, { keyPlace, value }] of node.entries) {
        if (value.kind !== 'text') this.wrongType(value, wanted);
        else found.push({ key, place: keyPlace, value: value.type === 'null' ? null : value });
      }
    } else if (node.kind === 'list') {
      for (const item of node.items) {
        if (item.kind !== 'text' || item.type === 'null') this.wrongType(item, wanted);
        else {
          const cut = item.text.indexOf('=');
          const key = cut < 0 ? item.text : item.text.slice(0, cut);
          const value: TextNode = { ...item, text: item.text.slice(cut + 1) };
          found.push({ key, place: item.place, value: cut < 0 ? null : value });
        }
      }
    } else if (node.type !== 'null') this.wrongType(node, wanted);
    return found;
  }

  /** A list of texts, or one text alone; null with a finding. */
  texts(node: ComposeNode, wanted: string): string[] | null {
    const items = node.kind === 'list' ? node.items : [node];
    const texts = items.map((item) => this.text(item, wanted));
    return texts.some((text) => text === null) ? null : (texts as string[]);
  }

  #misplacedSetting(node: TextNode, name: string): null {
    return this.add(node.place, {
      code: 'setting_not_here',
      message: `The setting ${quoted(name)} would be readable in ${nameOf(node.place)}.`,
      hint: `Put it into \`environment\` and let a shell in the container read it: \`$$${name.slice(0, 80)}\`.`,
    });
  }

  #badInterpolation(node: TextNode, { message, hint }: { message: string; hint: string }): null {
    return this.add(node.place, { code: 'bad_interpolation', message, hint });
  }

  #clean(node: TextNode, text: string): string | null {
    if (!text.includes('\0')) return text;
    const message = `${nameOf(node.place)} holds a NUL character.`;
    return this.add(node.place, { code: 'control_character', message, hint: 'Delete it.' });
  }
}

/** The last part of where it stands, for a sentence: `ports` for `services.web.ports[0]`. */
export function nameOf(place: Place): string {
  const last = /(?:^|\.)([^.[\]]+)(?:\[[^\]]*\])*$/.exec(place.path.slice(-200))?.[1];
  return last === undefined ? 'This' : `\`${last}\``;
}
