/** Characters that reorder what stands around them: a title must not turn a page's own words around. */
const REORDERING = /[\u202a-\u202e\u2066-\u2069]/g;
/** No characters, or what stands for a broken one; XML and YAML take them ill. */
const NO_CHARACTER = /[\ufffd\ufffe\uffff\ufeff]/g;
/** A text of more parts is a document; its first parts say what is wanted. */
const MAX_PARTS = 400;

/** One sentence or list item of a story. */
export interface StoryPart {
  readonly kind: 'sentence' | 'item';
  readonly text: string;
}

/** The text without control and reordering characters, lines kept. */
export function cleanText(text: string, maxCharacters: number): string {
  const lines = text
    .toWellFormed()
    .normalize('NFC')
    .replace(REORDERING, '')
    .replace(NO_CHARACTER, '')
    .replace(/\r\n?|[\u2028\u2029\u0085]/g, '\n')
    .replaceAll('\t', ' ')
    .replace(/[^\P{Cc}\n]/gu, '')
    .split('\n')
    .map((line) => line.trimEnd());
  return cutAtCharacter(
    lines
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim(),
    maxCharacters,
  );
}

/** The text on one line. */
export function cleanLine(text: string, maxCharacters: number): string {
  return cutAtCharacter(
    cleanText(text, maxCharacters * 4)
      .replace(/\s+/g, ' ')
      .trim(),
    maxCharacters,
  );
}

/** Shortened to whole words where the text has any. */
export function cutAtWord(text: string, maxCharacters: number): string {
  const characters = [...text];
  if (characters.length <= maxCharacters) return text;
  const cut = characters.slice(0, maxCharacters).join('');
  const space = cut.lastIndexOf(' ');
  return (space > maxCharacters / 2 ? cut.slice(0, space) : cut).replace(/[\s,;:.–-]+$/u, '');
}

/** Sentences and list items of a cleaned text, in order. */
export function splitParts(text: string): StoryPart[] {
  const parts: StoryPart[] = [];
  for (const line of text.split('\n')) {
    const item = /^\s*(?:[-*•–+]|\d{1,3}[.)])\s+(.*)$/u.exec(line)?.[1];
    const found: StoryPart[] =
      item === undefined
        ? sentencesOf(line.replace(/^\s*#{1,6}\s+/, '')).map((sentence) => ({
            kind: 'sentence',
            text: sentence,
          }))
        : [{ kind: 'item', text: item }];
    for (const part of found) {
      const trimmed = part.text.trim();
      if (/[\p{L}\p{N}]/u.test(trimmed)) parts.push({ ...part, text: trimmed });
      if (parts.length === MAX_PARTS) return parts;
    }
  }
  return parts;
}

/** A sentence ends at its mark where a new one begins; `e.g. tea` goes on. */
function sentencesOf(line: string): string[] {
  return line.split(/(?<=[.!?。！？…])\s+(?=[^\p{Ll}\s])|(?<=[。！？])/u);
}

function cutAtCharacter(text: string, maxCharacters: number): string {
  // An emoji or accent of several characters may be cut in two; a surrogate pair may not.
  if (text.length <= maxCharacters) return text;
  const characters = [...text];
  if (characters.length <= maxCharacters) return text;
  return `${characters
    .slice(0, maxCharacters - 1)
    .join('')
    .trimEnd()}…`;
}
