import type { Finding } from '@dbox/contracts';

/** Past this many a person fixes the first ones and reads again. */
const MAX_FINDINGS = 100;

export interface Place {
  readonly line: number;
  readonly column: number;
  /** As `acceptance[0].url`; empty for the whole document. */
  readonly path: string;
}

export interface FindingText {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly severity?: Finding['severity'];
}

/** What is wrong with one file, bounded. */
export interface FindingList {
  /** From the top of the file to its end. */
  sorted(): Finding[];
  add(place: Place, text: FindingText): void;
  hasError(): boolean;
}

export const START_OF_FILE: Place = { line: 1, column: 1, path: '' };

export function createFindingList(file: string): FindingList {
  const all: Finding[] = [];
  let anyError = false;
  return {
    sorted: () => all.toSorted((a, b) => a.line - b.line || a.column - b.column),
    add(place, { severity = 'error', code, message, hint }) {
      if (severity === 'error') anyError = true;
      if (all.length < MAX_FINDINGS) {
        const { line, column, path } = place;
        all.push({ code, severity, file, line, column, path, message: printable(message), hint });
      }
    },
    hasError: () => anyError,
  };
}

/** A value of the document within a message: on one line, printable and short, whatever it holds. */
export function quoted(value: unknown): string {
  const text = printable(JSON.stringify(value) ?? String(value));
  return text.length <= 120 ? text : `${text.slice(0, 117)}…`;
}

/** Messages go to terminals, and the YAML library quotes the document as it is. */
function printable(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
