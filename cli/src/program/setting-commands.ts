import type { Command } from 'commander';
import type { Runner } from './definition.ts';
import { examples } from './definition.ts';

interface Options {
  readonly environment: string;
  readonly follow?: boolean;
  readonly allowEmpty?: boolean;
}

/** Settings of environments: what a project's releases find in their environment variables. */
export function defineSettingCommands(program: Command, run: Runner): void {
  program.commandsGroup('Projects and specs:');
  const env = program
    .command('env')
    .summary('set, list and unset settings of a project')
    .description(
      "Settings are environment variables of a project's releases: keys, addresses, switches. They are kept encrypted and never shown again; a rollback restores those of its release.",
    )
    .helpCommand(false);
  const withEnvironment = (command: Command): Command =>
    command.option('--environment <name>', 'which environment', 'dev');
  const load = () => import('../commands/env.ts');

  withEnvironment(
    env
      .command('set')
      .summary('give the releases of a project a setting')
      .description(
        'Sets one setting to what comes on standard input, or is typed without being shown. What is live is released again with it, and the command waits for that: exit code 1 where it is refused, and the old release serves on.',
      )
      .argument('<project>', 'the project')
      .argument('<key>', 'name of the environment variable'),
  )
    .option('--allow-empty', 'an empty value is meant')
    .option('--no-follow', 'do not wait for the release')
    .addHelpText(
      'after',
      examples(
        ['env set blog API_KEY', 'asks for the value'],
        ['env set blog API_KEY < key.txt', 'from a file, without its last newline'],
        ['env set blog API_KEY --environment production', 'of another environment'],
      ),
    )
    .action((project: string, key: string, options: Options, command: Command) =>
      run(command, async (context) =>
        (await load()).setSetting(context, {
          project,
          key,
          environment: options.environment,
          follow: options.follow !== false,
          allowEmpty: options.allowEmpty === true,
        }),
      ),
    );
  withEnvironment(
    env
      .command('list')
      .summary('names of the settings of a project')
      .description('Lists the names of the settings and whether they are live; never their values.')
      .argument('<project>', 'the project'),
  )
    .addHelpText('after', examples(['env list blog', ''], ['env list blog --json', 'for a script']))
    .action((project: string, options: Options, command: Command) =>
      run(command, async (context) =>
        (await load()).listSettings(context, { project, environment: options.environment }),
      ),
    );
  withEnvironment(
    env
      .command('unset')
      .summary('take a setting away')
      .description('Takes one setting away. What is live is released again without it.')
      .argument('<project>', 'the project')
      .argument('<key>', 'name of the environment variable'),
  )
    .option('--no-follow', 'do not wait for the release')
    .addHelpText('after', examples(['env unset blog API_KEY', '']))
    .action((project: string, key: string, options: Options, command: Command) =>
      run(command, async (context) =>
        (await load()).unsetSetting(context, {
          project,
          key,
          environment: options.environment,
          follow: options.follow !== false,
        }),
      ),
    );
}
