/** Characters that reorder what stands around them: a title must not turn the page's own words around. */
const REORDERING = /[\u202a-\u202e\u2066-\u2069]/g;

/** One line without control characters, cut at a number of characters. */
export function cleanLine(text: string, maxCharacters: number): string {
  const line = text
    .toWellFormed()
    .normalize('NFC')
    .replace(REORDERING, '')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  const characters = [...line];
  return characters.length <= maxCharacters
    ? line
    : `${characters
        .slice(0, maxCharacters - 1)
        .join('')
        .trimEnd()}…`;
}

/** Text of several lines without control characters, with no more than one blank line in a row. */
export function cleanText(text: string, maxCharacters: number): string {
  const lines = text
    .toWellFormed()
    .normalize('NFC')
    .replace(REORDERING, '')
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replaceAll('\t', '    ')
    .replace(/[^\P{Cc}\n]/gu, '')
    .split('\n')
    .map((line) => line.trimEnd());
  const whole = lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+|\n+$/g, '');
  const characters = [...whole];
  return characters.length <= maxCharacters
    ? whole
    : `${characters
        .slice(0, maxCharacters - 1)
        .join('')
        .trimEnd()}…`;
}

/** The words a text begins with: its first sentence where that is short enough. */
export function summarize(text: string, maxCharacters: number): string {
  const line = cleanLine(text.split(/\n\s*\n/, 1)[0] ?? '', 10_000);
  const sentence = /^.{10,}?[.!?。！？](?=\s|$)/u.exec(line)?.[0] ?? line;
  return cleanLine(sentence, maxCharacters);
}

const ASKING =
  /^(?:please,? )?(?:(?:can|could|would) you (?:please )?)?(?:(?:i|we) (?:want|need|would like)(?: you)? (?:to )?)?(?:(?:develop|build|create|make|write|set up|design|implement|publish|launch|deploy|host|run|start|prepare|produce)(?:,? (?:and|then) |, )?)+ ?(?:me |us )?(?=an? |the |our |my |some )/i;

/** What was asked for, without the asking: "Develop and run a blog site" becomes "A blog site". */
export function withoutAsking(text: string): string {
  const rest = text.replace(ASKING, '');
  return rest.slice(0, 1).toUpperCase() + rest.slice(1);
}
