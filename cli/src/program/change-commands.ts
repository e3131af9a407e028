import type { Command } from 'commander';
import type { Runner } from './definition.ts';
import { examples } from './definition.ts';

/** What a person does about stories, releases and projects. */
export function defineChangeCommands(program: Command, run: Runner): void {
  program.commandsGroup('Step in:');
  program
    .command('rollback')
    .summary('give the traffic back to an earlier release')
    .description(
      'Gives the traffic back to an earlier release; without one to the newest good one. Data in DATA_DIR is not changed.',
    )
    .argument('[release]', 'the release to go back to')
    .addHelpText(
      'after',
      examples(
        ['rollback --project blog', 'to the release before'],
        ['rollback rel_4k7qz0m2ab', 'to this one'],
      ),
    )
    .action((release: string | undefined, _options: object, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/change.ts')).rollback(context, release ?? null),
      ),
    );
  program
    .command('retry')
    .summary('try a failed or blocked story or task again')
    .description('Revives a failed or blocked task, or all of them in a story.')
    .argument('<id>', 'of a story or a task')
    .addHelpText('after', examples(['retry st_4k7qz0m2ab', 'a story'], ['retry task-001', 'a task']))
    .action((id: string, _options: object, command: Command) =>
      run(command, async (context) => (await import('../commands/change.ts')).retry(context, id)),
    );
  program
    .command('cancel')
    .summary('withdraw a story or task')
    .description('Withdraws what is not live yet. What is live goes back with `rollback`.')
    .argument('<id>', 'of a story or a task')
    .addHelpText('after', examples(['cancel st_4k7qz0m2ab', 'a story'], ['cancel task-001', 'a task']))
    .action((id: string, _options: object, command: Command) =>
      run(command, async (context) => (await import('../commands/change.ts')).cancel(context, id)),
    );
  defineProjects(program, run);
  defineSpecs(program, run);
}

function defineProjects(program: Command, run: Runner): void {
  program.commandsGroup('Projects and specs:');
  const project = program
    .command('project')
    .summary('add, list and remove projects')
    .description('Projects of the box.')
    .helpCommand(false);
  project
    .command('add')
    .summary('make a project')
    .description('Makes a project: empty, from a directory, or from a git repository with its history.')
    .argument('<name>', 'a-z, 0-9 and -, at most 48 characters')
    .option('--from <source>', 'a directory, a git repository or its URL')
    .addHelpText(
      'after',
      examples(
        ['project add shop', 'an empty one'],
        ['project add shop --from ../shop', 'a directory or repository'],
        ['project add shop --from https://example.org/shop.git', 'a repository elsewhere'],
      ),
    )
    .action((name: string, options: { from?: string }, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/project.ts')).addProject(context, { name, from: options.from ?? null }),
      ),
    );
  project
    .command('list')
    .summary('all projects')
    .description('Lists the projects with their addresses.')
    .addHelpText('after', examples(['project list', '']))
    .action((_options: object, command: Command) =>
      run(command, async (context) => (await import('../commands/lists.ts')).projects(context)),
    );
  project
    .command('remove')
    .summary('take a project out of the box')
    .description(
      'Stops the sites of a project and takes it out of the box. Its repository is kept in removed/.',
    )
    .argument('<name>', 'the project')
    .addHelpText(
      'after',
      examples(['project remove shop', 'asks first'], ['project remove shop -y', 'does not ask']),
    )
    .action((name: string, _options: object, command: Command) =>
      run(command, async (context) => (await import('../commands/project.ts')).removeProject(context, name)),
    );
  program
    .command('clone')
    .summary('the code of a project, out of the box')
    .description('Makes a git repository with the code of a project and its history.')
    .argument('<project>', 'the project')
    .argument('[dir]', 'where to; the name of the project where not given')
    .addHelpText(
      'after',
      examples(['clone blog', 'into ./blog'], ['clone blog /tmp/blog', 'to another place']),
    )
    .action((name: string, dir: string | undefined, _options: object, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/clone.ts')).clone(context, { project: name, dir: dir ?? null }),
      ),
    );
}

function defineSpecs(program: Command, run: Runner): void {
  const spec = program
    .command('spec')
    .summary('check task specs')
    .description('Task specs in YAML.')
    .helpCommand(false);
  spec
    .command('validate')
    .summary('check task specs, without a box')
    .description(
      'Checks task specs together; each finding with file, line and column. Exit code 2 where one is wrong.',
    )
    .argument('<file...>', 'task specs in YAML')
    .addHelpText(
      'after',
      examples(
        ['spec validate specs/create-blog.yaml', 'one file'],
        ['spec validate a.yaml b.yaml', 'together, with their depends_on'],
      ),
    )
    .action((files: string[], _options: object, command: Command) =>
      run(command, async (context) => (await import('../commands/spec.ts')).validateSpecs(context, files)),
    );
}
