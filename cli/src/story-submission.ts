import { randomUUID } from 'node:crypto';
import type { Answer, SubmitStory } from '@dbox/contracts';
import type { CommandContext } from './command-context.ts';
import { isPassing } from './event-stream.ts';
import { CliError } from './failure.ts';

/** Long enough for a box that is just restarting. */
const RETRY_LIMIT_MS = 30_000;
/** Long enough for whoever restarts a box that died under the call; nobody may. */
const GONE_LIMIT_MS = 5_000;
const RETRY_INTERVAL_MS = 500;

export interface StoryInput {
  readonly words: readonly string[];
  readonly files: readonly string[];
}

/** What to submit, checked as far as that can be done here. Throws `CliError`. */
export async function readStoryInput(
  input: StoryInput,
  flags: CommandContext['flags'],
): Promise<SubmitStory> {
  const project = flags.project === null ? {} : { project: flags.project };
  if (input.files.length > 0) {
    if (input.words.length > 0) {
      throw new CliError('usage', 'Give either the story as text or spec files with -f, not both.');
    }
    const { readSpecDocuments } = await import('./spec-documents.ts');
    return { documents: await readSpecDocuments(input.files, process.cwd()), ...project };
  }
  const fromStdin = input.words.length === 1 && input.words[0] === '-';
  const text = (fromStdin ? await readStdin() : input.words.join(' ')).trim();
  if (text === '') {
    throw new CliError('usage', 'The story is empty.', {
      hint: 'Say what to build, e.g. ./dbox run "Develop and run a blog site".',
    });
  }
  return { text, ...project };
}

/**
 * Submits once: every try carries the same key, so a reply that was lost on the way makes no second
 * story.
 */
export async function submitStory(
  { box, clock, output }: Pick<CommandContext, 'box' | 'clock' | 'output'>,
  story: SubmitStory,
): Promise<Answer<'submitStory'>> {
  const key = randomUUID();
  const startedAt = clock.now();
  let brokeOff = false;
  while (true) {
    try {
      return await box.call('submitStory', { body: story, headers: { 'idempotency-key': key } });
    } catch (error) {
      // A box that was never there is told at once; one that broke off may have taken the story.
      const gone = error instanceof CliError;
      if (!isPassing(error) || (gone && !brokeOff)) throw error;
      if (clock.now() - startedAt > (gone ? GONE_LIMIT_MS : RETRY_LIMIT_MS)) throw lost(error);
      brokeOff = true;
      output.detail(`submitting again: ${(error as Error).message}`);
      await clock.sleep(RETRY_INTERVAL_MS);
    }
  }
}

function lost(cause: unknown): CliError {
  return new CliError('box_unreachable', 'The box went away while the story was submitted.', {
    hint: 'Whether it took the story is seen with `./dbox up` and `./dbox status`; if not, submit it again.',
    cause,
  });
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
