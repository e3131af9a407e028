/** Shorter ones are words and numbers: replacing them would make a log unreadable and hide nothing. */
const MIN_LENGTH = 6;
/** A pattern of a longer value is cut into several: some engines refuse, and all are slow with, huge ones. */
const PIECE_LENGTH = 256;
/** Where a longer text was cut off. */
const CUT = '…';

/** Replaces what must not be told in a text that is. */
export type Redactor = (text: string) => string;

/**
 * Replaces each value of these settings by its `[KEY]`, also where it was written into JSON, into an
 * address, into HTML, or in base64, and the beginning of one where a text was cut off in the middle of
 * it. A value of several lines is found whole and line by line, as logs have it.
 */
export function createRedactor(settings: Readonly<Record<string, string>>): Redactor {
  const found = Object.entries(settings)
    .flatMap(([key, value]) => [value, ...value.split(/\r?\n/)].map((text) => ({ text, mark: `[${key}]` })))
    .filter(({ text }) => text.length >= MIN_LENGTH)
    // One value may be a part of another.
    .sort((a, b) => b.text.length - a.text.length);
  if (found.length === 0) return (text) => text;

  const inOther = found.flatMap(({ text, mark }) => inBase64(text).map((of) => ({ text: of, mark })));
  // Few lines hold an escape at all, so the patterns are made when the first one does.
  const patterns = new Map<string, readonly RegExp[]>();
  const patternsOf = (value: string) => {
    const known = patterns.get(value);
    if (known !== undefined) return known;
    const isPlain = /^[a-z0-9]*$/i.test(value);
    const made = isPlain ? [] : piecesOf(value).map((piece) => new RegExp(patternOf(piece), 'g'));
    patterns.set(value, made);
    return made;
  };

  return (given) => {
    let text = given;
    const mayBeEscaped = /[\\%&+]/.test(given);
    for (const { text: value, mark } of found) {
      if (text.includes(value)) text = text.replaceAll(value, () => mark);
      for (const pattern of mayBeEscaped ? patternsOf(value) : []) text = text.replace(pattern, () => mark);
    }
    for (const { text: value, mark } of inOther) {
      if (text.includes(value)) text = text.replaceAll(value, () => mark);
    }
    return text.includes(CUT) ? redactBeforeCut(text, found) : text;
  };
}

/** The longest beginning of a value that stands right before each cut. */
function redactBeforeCut(
  text: string,
  found: readonly { readonly text: string; readonly mark: string }[],
): string {
  const parts = text.split(CUT);
  const redacted = parts.slice(0, -1).map((part) => {
    // Logs say ` [… 12 more bytes]`.
    const [end] = /["' ]*\[?$/.exec(part) ?? [''];
    const before = part.slice(0, part.length - end.length);
    for (const { text: value, mark } of found) {
      for (let length = value.length - 1; length >= MIN_LENGTH; length -= 1) {
        if (before.endsWith(value.slice(0, length))) return before.slice(0, -length) + mark + end;
      }
    }
    return part;
  });
  return [...redacted, parts.at(-1)].join(CUT);
}

/** Of about the same length, so that no short rest is left over. */
function piecesOf(value: string): string[] {
  const count = Math.ceil(value.length / PIECE_LENGTH);
  const length = Math.ceil(value.length / count);
  return Array.from({ length: count }, (_, n) => value.slice(n * length, (n + 1) * length));
}

function patternOf(piece: string): string {
  // A run of backslashes is one item: each for itself could be matched in exponentially many ways.
  return (piece.match(/\\+|[\ud800-\udbff][\udc00-\udfff]|[\s\S]/g) ?? [])
    .map((item) => (item.startsWith('\\') ? backslashes(item.length) : formsOf(item)))
    .join('');
}

function backslashes(count: number): string {
  return `(?:\\\\{${count},${4 * count}}|(?:%(?:25)?5[cC]){${count}})`;
}

const CONTROLS: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b', '\f': 'f' };
const ENTITIES: Readonly<Record<string, string>> = {
  '&': 'amp',
  '<': 'lt',
  '>': 'gt',
  '"': 'quot',
  "'": 'apos',
};

/** One letter as itself, escaped once or twice in JSON, in an address, or in HTML. */
function formsOf(letter: string): string {
  if (/[a-z0-9]/i.test(letter)) return letter;
  const hex = (code: number, width: number) =>
    code
      .toString(16)
      .padStart(width, '0')
      .replaceAll(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const units = Array.from({ length: letter.length }, (_, n) => hex(letter.charCodeAt(n), 4));
  const bytes = [...new TextEncoder().encode(letter)].map((byte) => `%(?:25)?${hex(byte, 2)}`);
  const forms = [
    `\\\\{0,3}${letter.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')}`,
    units.map((unit) => `\\\\{1,3}u${unit}`).join(''),
    bytes.join(''),
  ];
  const control = CONTROLS[letter];
  if (control !== undefined) forms.push(`\\\\{1,3}${control}`);
  if (letter === ' ') forms.push('\\+');
  const entity = ENTITIES[letter];
  if (entity !== undefined) {
    const code = letter.charCodeAt(0);
    forms.push(`&(?:${entity}|#0*${code}|#[xX]0*${hex(code, 2)});`);
  }
  return `(?:${forms.join('|')})`;
}

/** As headers and addresses have it. The last letters depend on what follows, so they are left out. */
function inBase64(text: string): string[] {
  const bytes = new TextEncoder().encode(text);
  const whole = bytes.subarray(0, bytes.length - (bytes.length % 3));
  const standard = btoa(Array.from(whole, (byte) => String.fromCharCode(byte)).join(''));
  return [standard, standard.replaceAll('+', '-').replaceAll('/', '_')];
}
