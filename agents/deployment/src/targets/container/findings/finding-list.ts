import type { Finding } from '@dbox/contracts';

/** Past this many a person mends the first ones and tries again. */
const MAX_FINDINGS = 50;

export interface FindingText {
  readonly code: string;
  readonly message: string;
  /** What to write instead. */
  readonly hint: string;
  readonly severity?: Finding['severity'];
}

export interface Place {
  readonly line: number;
  readonly column: number;
  /** As `services.web.privileged`; empty for the whole file. */
  readonly path: string;
}

/** What is wrong with one file of a project, bounded. */
export interface FindingList {
  add(place: Place, text: FindingText): void;
  hasError(): boolean;
  /** Nothing more is taken: there is no need to look for words that might be meant. */
  isFull(): boolean;
  /** From the top of the file to its end. */
  sorted(): Finding[];
}

export const START_OF_FILE: Place = { line: 1, column: 1, path: '' };

export function createFindingList(file: string): FindingList {
  const errors: Finding[] = [];
  const warnings: Finding[] = [];
  return {
    add(place, { severity = 'error', code, message, hint }) {
      const list = severity === 'error' ? errors : warnings;
      // An anchor that is used in ten services is written once.
      const isSaid = list.some(
        (one) => one.line === place.line && one.column === place.column && one.code === code,
      );
      if (isSaid || list.length >= MAX_FINDINGS) return;
      list.push({ code, severity, file, ...place, message: printable(message), hint: printable(hint) });
    },
    hasError: () => errors.length > 0,
    isFull: () => errors.length >= MAX_FINDINGS,
    sorted: () => [...errors, ...warnings].sort((a, b) => a.line - b.line || a.column - b.column),
  };
}

/** One line a finding, errors only, for whoever has to mend the file. */
export function describeErrors(findings: readonly Finding[]): string {
  return findings
    .filter((finding) => finding.severity === 'error')
    .map(({ file, line, column, message, hint }) => `${file}:${line}:${column}: ${message} ${hint}`)
    .join('\n');
}

/** Text of the file within a message: on one line, printable and short, whatever it holds. */
export function quoted(text: string): string {
  const written = printable(JSON.stringify(text));
  return written.length <= 100 ? written : `${written.slice(0, 97)}…"`;
}

/** Messages go to terminals, and file names and the YAML library's words come as they are. */
function printable(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
