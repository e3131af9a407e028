import type { Command } from 'commander';
import type { Runner } from './definition.ts';
import { examples } from './definition.ts';

/** What keeps a box, and what brings it elsewhere. */
export function defineKeepCommands(program: Command, run: Runner): void {
  program.commandsGroup('Keep and move the box:');
  program
    .command('backup')
    .summary('the whole box as one archive')
    .description(
      'Writes store, repositories, artifacts, data of the sites and secrets of one moment into a tar archive. A running box goes on meanwhile. The file has its name only once it is whole and checked. It holds the tokens and keys of the box, and is readable by you alone: keep it as safe as them.',
    )
    .argument('<file>', 'where to; - is standard output')
    .option('--force', 'replace a file that is there')
    .addHelpText(
      'after',
      examples(
        ['backup box.tar', 'to a file'],
        ['backup - | ssh HOST "cat > box.tar"', 'to another machine'],
        ['backup box.tar --json', 'with what is in it, as JSON'],
      ),
    )
    .action((file: string, options: { force?: boolean }, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/backup.ts')).backup(context, { file, force: options.force === true }),
      ),
    );
  program
    .command('restore')
    .summary('a box out of its archive')
    .description(
      'Makes the box of an archive again, in an empty workspace and store; into SQLite or, with DBOX_STORE, into Postgres. The archive is checked first, whole; then ledger, commits and artifacts are proven. The box must not run.',
    )
    .argument('<file>', 'an archive of `dbox backup`; - is standard input')
    .option('--force', 'put the box that is there aside; nothing of it is deleted')
    .addHelpText(
      'after',
      `${examples(
        ['restore box.tar', 'then ./dbox up'],
        ['restore box.tar --force', 'over a box that is there'],
        ['restore - < box.tar', 'from standard input'],
      )}\n\n  DBOX_WORKSPACE=/srv/two ./dbox restore box.tar\n    beside the box that is there`,
    )
    .action((file: string, options: { force?: boolean }, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/restore.ts')).restore(context, { file, force: options.force === true }),
      ),
    );
  program
    .command('migrate')
    .summary('move the store to Postgres, or back')
    .description(
      'Moves the store of a stopped box into the Postgres that --to or DBOX_STORE names, with all of its history; `--to sqlite` moves it back. Backs up first, and proves that the ledger is the same on the other side. The old store is put aside, not deleted.',
    )
    .option('--to <url>', 'postgres://USER@HOST:5432/DATABASE, or sqlite')
    .addHelpText(
      'after',
      `${examples(
        ['migrate --to postgres://dbox@127.0.0.1:5432/dbox', 'into an empty database'],
        ['migrate --to sqlite', 'back, out of the one in DBOX_STORE'],
      )}\n\n  A password belongs into a file: DBOX_STORE_PASSWORD_FILE=FILE ./dbox migrate --to …`,
    )
    .action((options: { to?: string }, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/migrate.ts')).migrate(context, { to: options.to ?? null }),
      ),
    );
}
