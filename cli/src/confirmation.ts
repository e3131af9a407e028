import { createInterface } from 'node:readline/promises';
import type { CommandContext } from './command-context.ts';
import { CliError } from './failure.ts';

/** Asks on stderr. `-y` is yes; where nobody can be asked it is an error that names `-y`. */
export async function askYesNo(
  { flags, output }: Pick<CommandContext, 'flags' | 'output'>,
  question: string,
): Promise<boolean> {
  if (flags.yes) return true;
  if (!flags.input || !process.stdin.isTTY) {
    throw new CliError('usage', `This needs a yes: ${question}`, { hint: 'Give it with -y.' });
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new AbortController();
  prompt.once('close', () => closed.abort());
  try {
    const answer = await prompt.question(`${output.err('bold', question)} [y/N] `, { signal: closed.signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    // Ctrl-C or the end of the input: no answer is no.
    return false;
  } finally {
    prompt.close();
  }
}
