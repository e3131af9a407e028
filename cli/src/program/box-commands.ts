import type { Command } from 'commander';
import type { Runner } from './definition.ts';
import { examples, gather, readScale } from './definition.ts';

const DOCKER = 'the box as containers (DBOX_MODE=docker); a workspace that was one stays one';
const INSECURE = 'let others reach the box (DBOX_BIND) without TLS: who listens on the way reads tokens';
const NO_SANDBOX = 'run code outside of a sandbox where this machine has none';

/** The box itself, and stories for it. */
export function defineBoxCommands(program: Command, run: Runner): void {
  program.commandsGroup('From a story to a site:');
  program
    .command('run')
    .summary('from a sentence to a live site')
    .description(
      'Starts the box if it is not up, submits the story, shows how it goes on, and ends with the address of the site.',
    )
    .argument('[text...]', 'the story; - reads it from standard input')
    .option('-f, --file <file>', 'a task spec in YAML instead of a text; may be given again', gather)
    .option('--no-sandbox', NO_SANDBOX)
    .option('--docker', DOCKER)
    .option('--insecure', INSECURE)
    .addHelpText(
      'after',
      examples(
        ['run "Develop and run a blog site"', 'a new project, named after the story'],
        ['run --project shop "Add a contact page"', 'goes on with a project'],
        ['run -f specs/create-blog.yaml', 'a task spec instead of a text'],
        ['run "A page for our club" --json', 'the answer as JSON'],
      ),
    )
    .action(
      (
        words: string[],
        options: { file?: string[]; sandbox: boolean; docker?: boolean; insecure?: boolean },
        command: Command,
      ) =>
        run(command, async (context) =>
          (await import('../commands/run.ts')).run(context, {
            words,
            files: options.file ?? [],
            sandbox: options.sandbox,
            docker: options.docker === true,
            insecure: options.insecure === true,
          }),
        ),
    );
  program
    .command('story')
    .summary('submit a story, or follow one')
    .description('Submits a story to the running box. With --follow it stays until the story has settled.')
    .argument('[text...]', 'the story, or with --follow the id of one that is there; - reads standard input')
    .option('-f, --file <file>', 'a task spec in YAML; may be given again', gather)
    .option('--follow', 'show how it goes on until it has settled')
    .addHelpText(
      'after',
      examples(
        ['story "Add an imprint" --project blog', 'prints the id of the story'],
        ['story -f a.yaml -f b.yaml --follow', 'several specs with depends_on'],
        ['story --follow st_4k7qz0m2ab', 'attaches to a story'],
      ),
    )
    .action((words: string[], options: { file?: string[]; follow?: boolean }, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/story.ts')).story(context, {
          words,
          files: options.file ?? [],
          follow: options.follow === true,
        }),
      ),
    );

  program.commandsGroup('The box:');
  program
    .command('up')
    .summary('start the box')
    .description(
      'Starts the box in the background and brings back every live site. A box that is up stays as it is.',
    )
    .option('--no-sandbox', NO_SANDBOX)
    .option('--docker', DOCKER)
    .option('--insecure', INSECURE)
    .option('--scale <service=count>', 'how many coding-agent or testing-agent there are', gather)
    .addHelpText(
      'after',
      examples(
        ['up', 'on ports 7700 and 8080'],
        ['up --docker', 'as containers'],
        ['up --docker --scale coding-agent=3', 'with three coding agents'],
        ['up --json', 'where everything really is, as JSON'],
      ) +
        '\n\n  DBOX_WORKSPACE=/srv/two DBOX_PORT=7800 DBOX_GATEWAY_PORT=8180 ./dbox up\n    a second box beside the first',
    )
    .action(
      (
        options: { sandbox: boolean; docker?: boolean; insecure?: boolean; scale?: string[] },
        command: Command,
      ) =>
        run(command, async (context) =>
          (await import('../commands/up.ts')).up(context, {
            sandbox: options.sandbox,
            docker: options.docker === true,
            insecure: options.insecure === true,
            scale: readScale(options.scale ?? []),
          }),
        ),
    );
  program
    .command('down')
    .summary('stop the box')
    .description('Stops the box and its sites. Nothing is lost: `up` brings everything back.')
    .option('--volumes', 'remove a box of containers for good, with its store and the data of its sites')
    .option('--confirm <name>', 'the name of the box that is to be removed')
    .addHelpText('after', examples(['down', 'stops it; done already is fine too']))
    .action((options: { volumes?: boolean; confirm?: string }, command: Command) =>
      run(command, async (context) =>
        (await import('../commands/down.ts')).down(context, {
          volumes: options.volumes === true,
          confirm: options.confirm ?? null,
        }),
      ),
    );
  program
    .command('status')
    .summary('sites, stories and agents at a glance')
    .description('Shows the box, the sites with their health, the newest stories and the agents.')
    .addHelpText('after', examples(['status', 'at a glance'], ['status --json', 'for scripts']))
    .action((_options: object, command: Command) =>
      run(command, async (context) => (await import('../commands/status.ts')).status(context)),
    );
  program
    .command('doctor')
    .summary('check what the box needs')
    .description('Checks this machine and the box; every line that is not ok says what to do.')
    .addHelpText('after', examples(['doctor', 'exit code 1 where something is in the way']))
    .action((_options: object, command: Command) =>
      run(command, async (context) => (await import('../commands/doctor.ts')).doctor(context)),
    );
  program
    .command('version')
    .summary('the version of dbox')
    .description('Prints the version; with -v also those of Node and of the running box.')
    .addHelpText('after', examples(['version', ''], ['version --json', 'with Node and the running box']))
    .action((_options: object, command: Command) =>
      run(command, async (context) => (await import('../commands/version.ts')).version(context)),
    );
}
