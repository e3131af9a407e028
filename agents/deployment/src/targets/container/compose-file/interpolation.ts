// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is the text that is spoken of.
/** What a name stands for; undefined where nothing is set. */
export type Lookup = (name: string) => string | undefined;

export type Interpolated =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string; readonly hint: string };

/** One variable of a process cannot be longer on Linux. */
const MAX_LENGTH = 128 * 1024;
const MAX_DEPTH = 8;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const OPERATOR = /:?[-?+]/y;

/** Thrown and caught in this file alone. */
class BadText extends Error {
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/**
 * `$NAME` and `${NAME}` with the forms `:-`, `-`, `:?`, `?`, `:+`, `+` of Compose, and `$$` for a dollar
 * sign. Linear; no message holds a value.
 */
export function interpolate(text: string, lookup: Lookup): Interpolated {
  if (!text.includes('$')) return { ok: true, text };
  try {
    return { ok: true, text: new Interpolation(text, lookup).read() };
  } catch (error) {
    if (error instanceof BadText) return { ok: false, message: error.message, hint: error.hint };
    throw error;
  }
}

class Interpolation {
  readonly #text: string;
  readonly #lookup: Lookup;
  #at = 0;
  /** The next `}`, looked for once, so that reading stays linear. */
  #close = -1;
  /** The words of a form that does not count must not ask for anything. */
  #muted = 0;

  constructor(text: string, lookup: Lookup) {
    this.#text = text;
    this.#lookup = lookup;
  }

  read(): string {
    return this.#readPart(false, 0);
  }

  /** To the end of the text, or of the braces that it is within. */
  #readPart(isInner: boolean, depth: number): string {
    if (depth > MAX_DEPTH) throw new BadText('`${…}` is nested too deeply.', 'Write one default value.');
    const parts: string[] = [];
    let length = 0;
    for (;;) {
      const dollar = this.#text.indexOf('$', this.#at);
      const close = isInner ? this.#findClose() : -1;
      if (isInner && (dollar < 0 || close < dollar)) {
        parts.push(this.#text.slice(this.#at, close));
        this.#at = close + 1;
        return parts.join('');
      }
      if (dollar < 0) {
        parts.push(this.#text.slice(this.#at));
        return parts.join('');
      }
      const part = this.#text.slice(this.#at, dollar);
      this.#at = dollar + 1;
      const value = this.#readVariable(depth);
      parts.push(part, value);
      length += part.length + value.length;
      if (length > MAX_LENGTH)
        throw new BadText('The value is too long once it is filled in.', 'Shorten it.');
    }
  }

  #findClose(): number {
    if (this.#close < this.#at) this.#close = this.#text.indexOf('}', this.#at);
    if (this.#close >= 0) return this.#close;
    throw new BadText('`${` is not closed.', 'Close it with `}`, or write `$$` for a dollar sign.');
  }

  #readVariable(depth: number): string {
    const next = this.#text[this.#at];
    if (next === '$') {
      this.#at += 1;
      return '$';
    }
    if (next !== '{') return this.#valueOf(this.#readName());
    this.#at += 1;
    const name = this.#readName();
    OPERATOR.lastIndex = this.#at;
    const operator = OPERATOR.exec(this.#text)?.[0] ?? '';
    this.#at += operator.length;
    const value = this.#muted > 0 ? undefined : this.#lookup(name);
    const isSet = value !== undefined && (operator.length < 2 || value !== '');
    const counts = operator.endsWith('+') ? isSet : !isSet;
    if (!counts) this.#muted += 1;
    const word = this.#readPart(true, depth + 1);
    if (!counts) this.#muted -= 1;
    if (operator === '') {
      if (word !== '') throw new BadText(`\`\${${name}…}\` is no form that is known.`, FORMS);
      return this.#valueOf(name);
    }
    if (operator.endsWith('+')) return isSet ? word : '';
    if (isSet) return value;
    if (operator.endsWith('?')) return this.#valueOf(name, operator.length === 2);
    return word;
  }

  #readName(): string {
    NAME.lastIndex = this.#at;
    const name = NAME.exec(this.#text)?.[0];
    if (name === undefined)
      throw new BadText('A dollar sign stands without a name after it.', 'Write `$$` for a dollar sign.');
    this.#at += name.length;
    return name;
  }

  #valueOf(name: string, mustBeFull = false): string {
    if (this.#muted > 0) return '';
    const value = this.#lookup(name);
    if (value !== undefined && !(mustBeFull && value === '')) return value;
    throw new BadText(
      `Nothing is set for ${name.slice(0, 80)}.`,
      `Set it with \`dbox env set PROJECT ${name.slice(0, 80)}\`, or give a default: \`\${${name.slice(0, 80)}:-value}\`.`,
    );
  }
}

const FORMS = 'Write `${NAME}`, `${NAME:-default}` or `${NAME:?message}`; `$$` for a dollar sign.';
