import type { CommandContext, CommandResult } from '../command-context.ts';
import { boxModeOf } from '../ensure-box.ts';
import { EXIT } from '../exit-codes.ts';
import { CliError } from '../failure.ts';
import { runStoreTool } from '../store-tool.ts';
import { many } from './backup.ts';
import { refuseHost } from './restore.ts';

interface Moved {
  readonly from: 'sqlite' | 'postgres';
  readonly to: 'sqlite' | 'postgres';
  /** Without a password; null for the workspace's own file. */
  readonly address: string | null;
  readonly ledger: { readonly seq: number; readonly hash: string };
  readonly rows: number;
  readonly backup: string;
  readonly former: readonly string[];
}

/** Moves the store of a stopped box into Postgres, or back into a file of the workspace. */
export async function migrate(context: CommandContext, given: { readonly to: string | null }): CommandResult {
  const { config, output } = context;
  refuseHost(context, 'moved');
  if ((await boxModeOf(config, false)) === 'docker') {
    throw new CliError('usage', 'A box of containers has its store in its own Postgres.', {
      hint: 'A box of one process comes there by `./dbox backup` and, in the other workspace, `./dbox restore`.',
    });
  }
  const tool = await runStoreTool({
    config,
    args: ['migrate', ...(given.to === null ? [] : ['--to', given.to])],
    onStep: (step) => output.note(`  ${step} …`),
  });
  tool.output.resume();
  const moved = (await tool.result) as Moved;
  output.note(
    `${output.err('green', '✓')} The store is in ${moved.address ?? 'the workspace'} now: ${many(moved.rows, 'row')}, and the ledger of ${many(moved.ledger.seq, 'event')} is the same.`,
  );
  output.note(`  The backup that was made first: ${moved.backup}`);
  for (const place of moved.former) output.note(`  What was there before: ${place}`);
  output.note(
    moved.to === 'sqlite'
      ? '  From now on start the box without DBOX_STORE:  unset DBOX_STORE; ./dbox up'
      : `  From now on start the box with this setting:  export DBOX_STORE='${moved.address}'; ./dbox up\n  A password belongs into a file that DBOX_STORE_PASSWORD_FILE names.`,
  );
  output.answer(moved.address ?? config.workspaceDir);
  output.answerJson(moved);
  return EXIT.ok;
}
