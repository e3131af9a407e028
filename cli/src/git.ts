import { runProgram } from './child-process.ts';
import type { Config } from './config.ts';
import { CliError } from './failure.ts';
import { plainText } from './plain-text.ts';

/** A large repository over a slow line takes minutes. */
const TIMEOUT_MS = 15 * 60_000;

/** How to get git, for every place that misses it. */
export const GIT_HINT =
  'Install git: `apt-get install git`, `dnf install git`, `apk add git`, or `brew install git`.';

export interface GitCall {
  readonly config: Pick<Config, 'gitEnvironment'>;
  readonly cwd: string;
  /** Reads the person's own git configuration: for reaching what is theirs (credentials, safe directories). */
  readonly ownConfig?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** git with hooks, prompts and unusual transports off. Throws `CliError` with what git said. */
export async function git(args: readonly string[], call: GitCall): Promise<string> {
  const outcome = await runProgram({
    program: 'git',
    args: ['-c', 'core.hooksPath=/dev/null', '-c', 'protocol.ext.allow=never', ...args],
    cwd: call.cwd,
    env: {
      ...call.config.gitEnvironment,
      GIT_TERMINAL_PROMPT: '0',
      ...(call.ownConfig ? {} : { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' }),
      ...call.env,
    },
    timeoutMs: TIMEOUT_MS,
  });
  if (outcome.end === 'missing') {
    throw new CliError('failed', 'git is not installed, and dbox cannot go on without it.', {
      hint: GIT_HINT,
    });
  }
  if (outcome.end === 'aborted') throw new CliError('cancelled', 'Stopped; nothing was changed.');
  if (outcome.end === 'exited' && outcome.exitCode === 0) return outcome.stdout;
  const verb = args.find((word) => !word.startsWith('-')) ?? '';
  const why = outcome.end === 'exited' ? plainText(outcome.stderr).trim().slice(-2000) : outcome.end;
  throw new CliError('failed', `git ${verb} did not work: ${why || `exit code ${outcome.exitCode}`}`);
}
