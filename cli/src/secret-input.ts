import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { CommandContext } from './command-context.ts';
import { CliError } from './failure.ts';

/** Several times what the box takes, so that the box is the one to say how much that is. */
const MAX_BYTES = 1024 * 1024;

/**
 * A value that must not stand on a command line, where every user of the machine reads it, nor in a
 * shell's history: from standard input whole, or from the terminal without being shown.
 */
export async function readSecret({ flags }: Pick<CommandContext, 'flags'>, what: string): Promise<string> {
  if (!process.stdin.isTTY) return withoutLastNewline(decode(await readStdin()));
  if (flags.input) return askHidden(`Value of ${what} (not shown): `);
  throw new CliError('usage', `The value of ${what} is read from standard input.`, {
    hint: `Give it there, e.g. ./dbox env set PROJECT KEY < file`,
  });
}

/** Most programs end their output with one, and nobody means it; a second one is meant. */
export function withoutLastNewline(text: string): string {
  return text.replace(/\r?\n$/, '');
}

async function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  const closed = new AbortController();
  prompt.once('close', () => closed.abort());
  try {
    return await prompt.question('', { signal: closed.signal });
  } catch (cause) {
    // Ctrl-C or the end of the input.
    throw new CliError('cancelled', 'Nothing was changed.', { cause });
  } finally {
    prompt.close();
    process.stderr.write('\n');
  }
}

async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
    if (sizeBytes > MAX_BYTES) throw new CliError('usage', 'That is too much for a setting: at most 32 KiB.');
  }
  return Buffer.concat(chunks);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CliError('usage', 'The value is no text in UTF-8.', {
      hint: 'Encode it first, e.g. with base64, and have the app decode it.',
      cause,
    });
  }
}
