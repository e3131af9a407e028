import { open } from 'node:fs/promises';
import type { Manifest } from '@dbox/archive';
import { openByteProgress } from '../byte-progress.ts';
import type { CommandContext, CommandResult } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { CliError } from '../failure.ts';
import { plainLine } from '../plain-text.ts';
import { runStoreTool } from '../store-tool.ts';
import { many } from './backup.ts';

interface Restored extends Pick<Manifest, 'createdAt' | 'boxVersion' | 'ledger' | 'counts' | 'data'> {
  readonly former: readonly string[];
  readonly warnings: readonly string[];
  readonly workspace: string;
}

/** Makes the box of an archive again, in a workspace and a store that are empty. */
export async function restore(
  context: CommandContext,
  given: { readonly file: string; readonly force: boolean },
): CommandResult {
  const { config, output } = context;
  refuseHost(context, 'restored');
  const input = given.file === '-' ? null : await openArchive(given.file);
  const progress = openByteProgress(context, 'Reading', input === null ? null : (await input.stat()).size);
  try {
    const tool = await runStoreTool({
      config,
      args: ['restore', '-', ...(given.force ? ['--force'] : [])],
      input: input?.fd ?? 'inherit',
      onStep: (step) => progress.say(`  ${step} …`),
      onBytes: progress.show,
    });
    tool.output.resume();
    const restored = (await tool.result) as Restored;
    progress.close();
    const { ledger, counts, former, warnings } = restored;
    output.note(
      `${output.err('green', '✓')} The box of ${restored.createdAt} is back: ${many(ledger.seq, 'event')}, the chain is whole, ${many(counts.repositories, 'repository', 'repositories')}, ${many(counts.artifacts, 'artifact')}.`,
    );
    for (const place of former) output.note(`  What was there before lies in ${place}.`);
    if (restored.data === 'elsewhere')
      output.note('  The data of the sites was not in the archive (see docs/backup.md).');
    for (const warning of warnings) output.warn(plainLine(warning));
    output.note('  `./dbox up` starts it.');
    output.answer(restored.workspace);
    output.answerJson(restored);
    return EXIT.ok;
  } finally {
    progress.close();
    await input?.close();
  }
}

async function openArchive(file: string) {
  try {
    return await open(file);
  } catch (cause) {
    throw new CliError('usage', `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

export function refuseHost({ config }: Pick<CommandContext, 'config'>, done: string): void {
  if (config.host === null) return;
  throw new CliError('usage', `A box on another machine cannot be ${done} from here.`, {
    hint: 'Do it there, or leave --host and DBOX_HOST away.',
  });
}
