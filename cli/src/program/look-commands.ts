import type { Command } from 'commander';
import type { Runner } from './definition.ts';
import { examples, readCount, readLimit } from './definition.ts';

/** Everything that only looks. */
export function defineLookCommands(program: Command, run: Runner): void {
  program.commandsGroup('Look closer:');
  program
    .command('show')
    .summary('a story, task, release or incident')
    .description('Shows whatever the id names; of a task every attempt with its verdict.')
    .argument('<id>', 'of a story, task, release or incident')
    .addHelpText(
      'after',
      examples(
        ['show task-001', 'attempts and verdicts'],
        ['show rel_4k7qz0m2ab --json', 'a release as JSON'],
      ),
    )
    .action((id: string, _options: object, command: Command) =>
      run(command, async (context) => (await import('../commands/show.ts')).show(context, id)),
    );
  program
    .command('logs')
    .summary('what was printed')
    .description(
      'Prints the log of a story, task, job, release or service; without an id of the newest story.',
    )
    .argument('[id]', 'of a story, task, job or release, or a service: manager, coding, testing, …')
    .option('-f, --follow', 'go on with what comes, until Ctrl-C')
    .addHelpText(
      'after',
      examples(
        ['logs', 'of the newest story'],
        ['logs task-001', 'what coder, tests and release said'],
        ['logs -f manager', 'of a service, as it comes'],
      ),
    )
    .action((id: string | undefined, options: { follow?: boolean }, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/logs.ts')).logs(context, {
          id: id ?? null,
          follow: options.follow === true,
        }),
      ),
    );
  program
    .command('diff')
    .summary('what a task changed')
    .description('Prints what a task, or every task of a story, changed, as a patch.')
    .argument('<id>', 'of a task or a story')
    .option('--attempt <n>', 'of this attempt instead of the newest', readCount)
    .addHelpText(
      'after',
      examples(
        ['diff task-001', 'the newest attempt'],
        ['diff task-001 --attempt 1 > first.patch', 'a patch file'],
      ),
    )
    .action((id: string, options: { attempt?: number }, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/diff.ts')).diff(context, { id, attempt: options.attempt ?? null }),
      ),
    );
  defineLists(program, run);
  defineEvents(program, run);
}

function defineLists(program: Command, run: Runner): void {
  for (const name of ['tasks', 'releases', 'incidents'] as const) {
    program
      .command(name)
      .summary(`${name}, newest first`)
      .description(`Lists ${name}, newest first; --project narrows it to one project.`)
      .option('--limit <n>', 'at most so many', readLimit, 50)
      .addHelpText('after', examples([name, 'of all projects'], [`${name} --project blog`, 'of one']))
      .action((options: { limit: number }, command: Command) =>
        run(command, async (context) => (await import('../commands/lists.ts'))[name](context, options)),
      );
  }
  program
    .command('agents')
    .summary('the agents and whether they are there')
    .description('Lists the agents and when they were last heard of.')
    .addHelpText('after', examples(['agents', 'who is there']))
    .action((_options: object, command: Command) =>
      run(command, async (context) => (await import('../commands/lists.ts')).agents(context)),
    );
}

function defineEvents(program: Command, run: Runner): void {
  const events = program
    .command('events')
    .helpCommand(false)
    .summary('the ledger: everything that happened')
    .description('Prints the events of the ledger, oldest first; with --json one object a line.')
    .option('-f, --follow', 'go on with what comes, until Ctrl-C')
    .option('--after <n>', 'only events after this number', readCount, 0)
    .addHelpText(
      'after',
      examples(
        ['events --json', 'one JSON object a line'],
        ['events -f --after 120', 'from event 121 on, and what comes'],
        ['events verify', 'recomputes the hash chain'],
      ),
    )
    .action((options: { follow?: boolean; after: number }, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/events.ts')).events(context, {
          after: options.after,
          follow: options.follow === true,
        }),
      ),
    );
  events
    .command('verify')
    .summary('check that no event was changed')
    .description('Recomputes the hash chain over all events; exit code 1 where it is broken.')
    .addHelpText('after', examples(['events verify', '']))
    .action((_options: object, command: Command) =>
      run(command, async (context) => (await import('../commands/events.ts')).verifyEvents(context)),
    );
}
