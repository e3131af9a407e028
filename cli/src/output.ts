import { styleText } from 'node:util';
import type { Failure } from './failure.ts';
import { plainLine, plainText } from './plain-text.ts';

export type Style = Parameters<typeof styleText>[0];

/** A place to write to: the terminal, a pipe, or a test's list. */
export interface Sink {
  write(text: string): unknown;
  readonly isTerminal: boolean;
  /** Characters a line holds; null where lines have no end. */
  readonly columns: number | null;
}

/** stdout is the answer, stderr is everything said on the way. */
export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Whether lines on stderr can be drawn over. */
  readonly live: boolean;
  /** One or more lines of the answer, for people; nothing with `--json`. */
  answer(text: string): void;
  /** The answer as JSON; nothing without `--json`. */
  answerJson(value: unknown): void;
  /** Progress on stderr; silent with `-q`. */
  note(text: string): void;
  /** Only with `-v`. */
  detail(text: string): void;
  warn(text: string): void;
  /** What went wrong with what was asked for, on stderr; also with `-q`. */
  problem(text: string): void;
  fail(failure: Failure): void;
  /** Style for text on stdout. */
  out(style: Style, text: string): string;
  /** Style for text on stderr. */
  err(style: Style, text: string): string;
}

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly colour: boolean;
  readonly dumbTerminal: boolean;
  readonly stdout: Sink;
  readonly stderr: Sink;
}

export function createOutput(options: OutputOptions): Output {
  const { json, quiet, verbose, stdout, stderr } = options;
  const styler =
    (sink: Sink) =>
    (style: Style, text: string): string =>
      options.colour && sink.isTerminal ? styleText(style, text, { validateStream: false }) : text;
  const err = styler(stderr);
  const say = (text: string): unknown => stderr.write(`${text}\n`);

  return {
    json,
    quiet,
    verbose,
    stdout,
    stderr,
    live: stderr.isTerminal && !options.dumbTerminal,
    answer: (text) => {
      if (!json) stdout.write(`${text}\n`);
    },
    answerJson: (value) => {
      if (json) stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    note: (text) => {
      if (!quiet) say(text);
    },
    detail: (text) => {
      if (verbose) say(err('dim', text));
    },
    warn: (text) => say(`${err('yellow', 'warning:')} ${text}`),
    problem: (text) => say(text),
    fail: (failure) => {
      if (json) stdout.write(`${JSON.stringify({ error: failure }, null, 2)}\n`);
      say(`${err('red', 'dbox:')} ${plainText(failure.detail)}`);
      for (const finding of failure.findings ?? []) {
        // Of the request itself, which nobody typed as a file; the detail has said it.
        if (finding.file === 'body') continue;
        const place = `${plainLine(finding.file)}:${finding.line}:${finding.column}`;
        const path = finding.path === '' ? '' : ` (${plainLine(finding.path)})`;
        const word = finding.severity === 'error' ? err('red', 'error') : err('yellow', 'warning');
        say(`${place}: ${word}: ${plainLine(finding.message)}${path}`);
        if (finding.hint !== '') say(`  ${plainLine(finding.hint)}`);
      }
      if (failure.hint !== null) say(plainText(failure.hint));
    },
    out: styler(stdout),
    err,
  };
}

/** A process stream as a sink. `columns` follows the window. */
export function streamSink(stream: NodeJS.WriteStream): Sink {
  return {
    write: (text) => stream.write(text),
    isTerminal: stream.isTTY === true,
    get columns() {
      // A terminal that does not know its width says 0.
      return stream.isTTY ? stream.columns || 80 : null;
    },
  };
}
