const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };
const MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `512m`, `1.5gb`, `1048576`; null where it is none of these. */
export function parseBytes(text: string): number | null {
  const read = /^(\d{1,15}(?:\.\d{1,6})?)\s?(?:([bkmgt])b?)?$/i.exec(text.trim());
  if (read === null) return null;
  return Math.floor(Number(read[1]) * UNITS[(read[2] ?? 'b').toLowerCase()]!);
}

/** `1m30s`, `500ms` in milliseconds; null where it is no such thing, or longer than a day. */
export function parseDurationMs(text: string): number | null {
  if (text === '0') return 0;
  if (text.length > 60 || !/^(?:\d{1,9}(?:\.\d{1,6})?(?:us|ms|s|m|h))+$/.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h)/g)) {
    total += Number(amount) * MS[unit!]!;
  }
  return total > 24 * MS.h! ? null : Math.round(total);
}

/** The words of a command as a shell would split them, without expanding anything; null for an open quote. */
export function splitWords(line: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (quote === null && /\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
      continue;
    }
    word ??= '';
    if (character === quote) quote = null;
    else if (quote === null && (character === '"' || character === "'")) quote = character;
    else if (character === '\\' && quote !== "'" && at + 1 < line.length) {
      const next = line[++at]!;
      // Within double quotes a backslash stands for itself before most characters.
      word += quote === '"' && !'"\\$`'.includes(next) ? `\\${next}` : next;
    } else word += character;
  }
  if (quote !== null) return null;
  if (word !== null) words.push(word);
  return words;
}
