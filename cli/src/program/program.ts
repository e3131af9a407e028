import type { Command } from 'commander';
import { Command as CommanderCommand, CommanderError } from 'commander';
import { connectBox } from '../box-connection.ts';
import type { Clock } from '../clock.ts';
import type { CommandContext, GlobalFlags } from '../command-context.ts';
import type { Config } from '../config.ts';
import type { ExitCode } from '../exit-codes.ts';
import { EXIT } from '../exit-codes.ts';
import { CliError, describeFailure } from '../failure.ts';
import type { Output, Sink } from '../output.ts';
import { createOutput } from '../output.ts';
import { defineBoxCommands } from './box-commands.ts';
import { defineChangeCommands } from './change-commands.ts';
import type { Runner } from './definition.ts';
import { defineKeepCommands } from './keep-commands.ts';
import { defineLookCommands } from './look-commands.ts';
import { defineSettingCommands } from './setting-commands.ts';

export interface RunCli {
  /** Without the program itself. */
  readonly args: readonly string[];
  readonly readConfig: () => Config;
  readonly clock: Clock;
  readonly stdout: Sink;
  readonly stderr: Sink;
}

interface ParsedFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color: boolean;
  readonly input: boolean;
  readonly yes?: boolean;
  readonly project?: string;
  readonly host?: string;
}

/** Runs one command line. Everything that goes wrong is said and becomes the exit code. */
export async function runCli(cli: RunCli): Promise<ExitCode> {
  // Known before parsing, because a wrong flag has to be told in the right form too.
  const words = cli.args.slice(0, cli.args.includes('--') ? cli.args.indexOf('--') : undefined);
  const early = {
    json: words.includes('--json'),
    quiet: false,
    verbose: words.includes('-v') || words.includes('--verbose'),
    stdout: cli.stdout,
    stderr: cli.stderr,
  };
  let output: Output = createOutput({ ...early, colour: false, dumbTerminal: true });
  let exitCode: ExitCode = EXIT.ok;
  try {
    const config = cli.readConfig();
    const run: Runner = async (command, body) => {
      const parsed = command.optsWithGlobals<ParsedFlags>();
      const flags = globalFlags(parsed, config);
      output = createOutput({ ...early, ...flags, dumbTerminal: config.dumbTerminal });
      const reached = parsed.host === undefined ? config : { ...config, host: parsed.host };
      const context: CommandContext = {
        config: reached,
        flags,
        output,
        clock: cli.clock,
        box: connectBox(reached),
      };
      exitCode = await body(context);
    };
    const asked = words.length === 1 && (words[0] === '--version' || words[0] === '-V');
    await buildProgram(cli, run).parseAsync(asked ? ['version'] : [...cli.args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0 || error.code === 'commander.help') {
        return error.exitCode === 0 || cli.args.length === 0 ? EXIT.ok : EXIT.usage;
      }
      const failure = describeFailure(new CliError('usage', error.message.replace(/^error: /, '')));
      output.fail({ ...failure, hint: 'See `./dbox --help`, or `./dbox COMMAND --help`.' });
      return failure.exitCode;
    }
    const failure = describeFailure(error);
    output.fail(failure);
    if (failure.code === 'internal' || early.verbose) output.detail(traceOf(error));
    return failure.exitCode;
  }
}

function buildProgram(cli: RunCli, run: Runner): Command {
  const program = new CommanderCommand('dbox');
  program
    .description('Developer in a Box: from a user story to a live, watched site.')
    .usage('COMMAND [options]')
    .option('--json', 'print the answer as JSON on stdout, and nothing else there')
    .option('-q, --quiet', 'say only what goes wrong')
    .option('-v, --verbose', 'say more')
    .option('--no-color', 'no colours (as NO_COLOR does)')
    .option('--no-input', 'never ask')
    .option('-y, --yes', 'yes to every question')
    .option('--project <name>', 'the project to work with')
    .option('--host <url>', 'a box elsewhere (DBOX_HOST; its token in DBOX_TOKEN)')
    .helpOption('-h, --help', 'show help')
    .addHelpCommand(
      new CommanderCommand('help')
        .argument('[command]')
        .summary('show help for a command')
        .helpGroup('The box:'),
    )
    .configureHelp({
      showGlobalOptions: true,
      helpWidth: cli.stdout.columns ?? 100,
      subcommandTerm: termOf,
    })
    .configureOutput({
      writeOut: (text) => cli.stdout.write(text),
      // The message of an error is told where it is caught, in the form that was asked for.
      writeErr: (text) => (text.startsWith('error: ') ? undefined : cli.stdout.write(text)),
    })
    .exitOverride()
    .showSuggestionAfterError(true)
    .addHelpText(
      'after',
      '\nExit codes: 0 delivered or done, 1 failed, 2 wrong usage or cancelled, 4 not authorised,\n' +
        '5 box unreachable, 8 a story waits for a person.\n\n' +
        'Begin with:  ./dbox run "Develop and run a blog site"',
    );
  defineBoxCommands(program, run);
  defineLookCommands(program, run);
  defineChangeCommands(program, run);
  defineSettingCommands(program, run);
  defineKeepCommands(program, run);
  return program;
}

/** `show <id>`, `project add|list|remove`, `events [verify]`: what is typed, without the options. */
function termOf(command: Command): string {
  const below = command.commands.map((one) => one.name()).join('|');
  const sub = command.name() === 'events' ? `[${below}]` : below;
  const args = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name();
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [command.name(), sub, ...args].filter((word) => word !== '').join(' ');
}

function globalFlags(parsed: ParsedFlags, config: Config): GlobalFlags {
  return {
    json: parsed.json === true,
    quiet: parsed.quiet === true,
    verbose: parsed.verbose === true,
    colour: parsed.color && !config.noColour,
    input: parsed.input,
    yes: parsed.yes === true,
    project: parsed.project ?? null,
  };
}

function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${traceOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
