import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import type { Manifest } from '@dbox/archive';
import { ArchiveRefusedError, readArchive, saveArchive } from '@dbox/archive';
import { openByteProgress } from '../byte-progress.ts';
import type { CommandContext, CommandResult } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { CliError } from '../failure.ts';
import { formatBytes } from '../quantities.ts';
import { findLivingBox } from '../start-box.ts';
import { runStoreTool } from '../store-tool.ts';

/** All of a box as one archive; of a running one through its API, else straight from its files. */
export async function backup(
  context: CommandContext,
  given: { readonly file: string; readonly force: boolean },
): CommandResult {
  const { output } = context;
  if (given.file === '-') return toStandardOutput(context);
  const path = resolve(given.file);
  await requireFree(path, given.force);
  const progress = openByteProgress(context, 'Backing up');
  try {
    const source = await openSource(context);
    const { manifest, sizeBytes } = await saveArchive({
      path,
      source: source.chunks,
      onBytes: progress.show,
    }).catch(async (error: unknown) => {
      // What went wrong at the other end says more than where the stream broke.
      if (error instanceof ArchiveRefusedError) await source.end();
      throw brokenOff(error, `${given.file} was not written`);
    });
    await source.end();
    progress.close();
    const { counts, ledger } = manifest;
    output.note(
      `${output.err('green', '✓')} ${path}: the box at event ${ledger.seq}, with ${many(counts.repositories, 'repository', 'repositories')} and ${many(counts.artifacts, 'artifact')} (${formatBytes(sizeBytes)}).`,
    );
    output.note('  It holds the tokens and keys of the box: keep it as safe as them.');
    warnOfGaps(context, manifest);
    output.answer(path);
    output.answerJson({ file: path, sizeBytes, ...manifest });
    return EXIT.ok;
  } finally {
    progress.close();
  }
}

async function toStandardOutput(context: CommandContext): CommandResult {
  if (context.output.json)
    throw new CliError('usage', 'With - the archive is the output; --json has no room there.');
  if (process.stdout.isTTY) {
    throw new CliError('usage', 'An archive is nothing for a terminal.', {
      hint: 'Give a file, or pipe it: ./dbox backup - | …',
    });
  }
  const source = await openSource(context);
  async function* through(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.chunks) {
      if (!process.stdout.write(chunk))
        await new Promise<void>((resume) => process.stdout.once('drain', resume));
      yield chunk;
    }
  }
  const manifest = await readArchive(through()).catch(async (error: unknown) => {
    if (error instanceof ArchiveRefusedError) await source.end();
    throw brokenOff(error, 'what was written is of no use');
  });
  warnOfGaps(context, manifest);
  return EXIT.ok;
}

interface Source {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Once the sender is done; throws what it says went wrong, if it says anything. */
  end(): Promise<void>;
}

async function openSource({ config, box, output }: CommandContext): Promise<Source> {
  if (config.host !== null || (await findLivingBox(config.workspaceDir)) !== null) {
    const response = await box.raw('getBackup');
    if (response.body === null) throw new CliError('failed', 'The box sent nothing.');
    return { chunks: Readable.fromWeb(response.body as NodeReadableStream), end: async () => {} };
  }
  output.detail('no box is running: the archive is made of its files');
  const tool = await runStoreTool({ config, args: ['backup'] });
  return { chunks: tool.output, end: async () => void (await tool.result) };
}

function brokenOff(error: unknown, consequence: string): unknown {
  if (error instanceof CliError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const fromSender = error instanceof ArchiveRefusedError || /terminated|aborted|premature/i.test(reason);
  if (!fromSender) return error;
  return new CliError('failed', `The backup broke off (${reason}); ${consequence}.`, {
    hint: 'Try again; `./dbox logs manager` says what the box made of it.',
    cause: error,
  });
}

async function requireFree(path: string, force: boolean): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found === null || (force && found.isFile())) return;
  if (!found.isFile())
    throw new CliError('usage', `${path} is there, and is no file.`, { hint: 'Name a file, e.g. box.tar.' });
  throw new CliError('usage', `${path} is there already.`, {
    hint: 'Give another name, or --force to replace it.',
  });
}

export function warnOfGaps(
  { output }: Pick<CommandContext, 'output'>,
  manifest: Pick<Manifest, 'data' | 'missing' | 'skipped'>,
): void {
  const { data, missing, skipped } = manifest;
  if (data === 'elsewhere') {
    output.note(
      '  The data of the sites is not in it: it lies in volumes of its own (docs/backup.md says how to keep them).',
    );
  }
  const lost = missing.commits.length + missing.artifacts.length;
  if (lost > 0)
    output.warn(
      `${many(lost, 'thing')} that the ledger names ${lost === 1 ? 'is' : 'are'} not in the box any more; --json names them.`,
    );
  for (const { name, reason } of skipped.slice(0, 10))
    output.warn(`${name} is not in it as it is: ${reason}.`);
  if (skipped.length > 10)
    output.warn(`${skipped.length - 10} more files are not in it as they are; --json names them.`);
}

export function many(count: number, one: string, more = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`;
}
