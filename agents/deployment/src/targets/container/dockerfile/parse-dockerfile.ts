/** One instruction, with its continued lines joined; the bodies of its heredocs are left out. */
export interface Instruction {
  /** In upper case: `RUN`. */
  readonly name: string;
  readonly rest: string;
  /** Where it begins, from 1. */
  readonly line: number;
}

export interface ParsedDockerfile {
  readonly instructions: readonly Instruction[];
  /**
   * The same file with every line taken for an instruction of its own: whatever another reader may take
   * for one, where it sees the end of a heredoc or of a continued line elsewhere. Empty where there are
   * neither heredocs nor blanks of other kinds.
   */
  readonly everyLine: readonly Instruction[];
  /** Comments before the first instruction, among which directives stand. */
  readonly head: readonly { readonly text: string; readonly line: number }[];
}

const HEREDOC = /(?:^|\s)\d*<<(-?)(["']?)([^\s"'<>|;&()]+)\2/g;
/** Where readers may differ about where an instruction begins. */
const AMBIGUOUS = /<<|\r(?!\n)|[\f\v\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]|.\ufeff/;
/** The instructions that may have heredocs. */
const WITH_HEREDOCS = new Set(['RUN', 'COPY', 'ADD']);

/** Splits a Dockerfile as far as it must be understood to judge it. Linear. */
export function parseDockerfile(text: string): ParsedDockerfile {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const head = readHead(lines);
  const continuation = escapeOf(head);
  const instructions: Instruction[] = [];
  for (let at = 0; at < lines.length; ) {
    const first = lines[at]!;
    if (isSkipped(first)) {
      at += 1;
      continue;
    }
    const { joined, next } = joinContinued(lines, at, continuation);
    const instruction = instructionOf(joined, at + 1);
    at = next;
    if (instruction === null) continue;
    instructions.push(instruction);
    if (!WITH_HEREDOCS.has(instruction.name) || !instruction.rest.includes('<<')) continue;
    for (const [, dash, , end] of instruction.rest.matchAll(HEREDOC)) {
      at = afterHeredoc(lines, at, { end: end!, isIndented: dash === '-' });
    }
  }
  const everyLine = AMBIGUOUS.test(text) ? lines.flatMap((line, n) => instructionOf(line, n + 1) ?? []) : [];
  return { instructions, everyLine, head };
}

function readHead(lines: readonly string[]): { text: string; line: number }[] {
  const head: { text: string; line: number }[] = [];
  for (const [n, line] of lines.entries()) {
    if (line.trim() === '') continue;
    // Frontends are also looked for behind `//`, and after a first line `#!`.
    if (!/^\s*(#|\/\/)/.test(line)) break;
    head.push({ text: line, line: n + 1 });
  }
  return head;
}

function escapeOf(head: readonly { readonly text: string }[]): '\\' | '`' {
  for (const { text } of head) {
    const directive = /^\s*#\s*([A-Za-z]+)\s*=\s*(\S+)\s*$/.exec(text);
    // Directives end at the first line that is none.
    if (directive === null) break;
    if (directive[1]!.toLowerCase() === 'escape' && directive[2] === '`') return '`';
  }
  return '\\';
}

function isSkipped(line: string): boolean {
  return line.trim() === '' || /^\s*#/.test(line);
}

function joinContinued(
  lines: readonly string[],
  from: number,
  continuation: string,
): { joined: string; next: number } {
  const parts: string[] = [];
  let at = from;
  while (at < lines.length) {
    const line = lines[at]!;
    at += 1;
    // Empty lines and comments within continued lines are as if they were not there.
    if (parts.length > 0 && isSkipped(line)) continue;
    const trimmed = withoutTrailingBlanks(line);
    if (!trimmed.endsWith(continuation)) {
      parts.push(line);
      break;
    }
    parts.push(trimmed.slice(0, -1));
  }
  return { joined: parts.join(''), next: at };
}

/** Blanks and tabs alone, as the builder has it. A pattern would take time squared. */
function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === ' ' || line[end - 1] === '\t')) end -= 1;
  return line.slice(0, end);
}

function instructionOf(text: string, line: number): Instruction | null {
  const read = /^\s*([A-Za-z]+)(?:\s+|$)/.exec(text);
  if (read === null) return null;
  return { name: read[1]!.toUpperCase(), rest: text.slice(read[0].length).trim(), line };
}

function afterHeredoc(
  lines: readonly string[],
  from: number,
  { end, isIndented }: { end: string; isIndented: boolean },
): number {
  for (let at = from; at < lines.length; at++) {
    const line = isIndented ? lines[at]!.replace(/^\t+/, '') : lines[at]!;
    if (line === end) return at + 1;
  }
  // The builder will say that it is not closed.
  return lines.length;
}
