import type { JobContext } from '@dbox/agent-sdk';
import type { TestResult } from '@dbox/contracts';
import { causeOfFailedInstall, installDependencies, type Sandbox } from '@dbox/sandbox';
import { toPlainText } from './plain-text.ts';

/** Longer than any install that a person would wait for; a registry that hangs must not eat the task's time. */
const SET_UP_TIMEOUT_MS = 5 * 60_000;

export interface SetUpFault {
  readonly cause: NonNullable<TestResult['cause']>;
  readonly detail: string;
  readonly output: string;
}

/** Installs what the tree needs. Null: the entries can run. */
export async function setUp(o: {
  readonly context: JobContext<'test'>;
  readonly sandbox: Sandbox;
  readonly tree: string;
  readonly timeLeftMs: number;
}): Promise<SetUpFault | null> {
  const { context } = o;
  const ended = await installDependencies({
    sandbox: o.sandbox,
    tree: o.tree,
    timeoutMs: Math.max(1, Math.min(SET_UP_TIMEOUT_MS, o.timeLeftMs)),
    signal: context.signal,
    onLine: (stream, line) => context.log(stream, toPlainText(line)),
  });
  context.signal.throwIfAborted();
  if (ended === null || (ended.end === 'exited' && ended.exitCode === 0)) return null;
  const output = toPlainText(ended.head + ended.tail);
  const said = output.split('\n').find((line) => /^npm (?:error|ERR!) (?!code\b)/.test(line));
  const why = said === undefined ? '' : `: ${said.replace(/^npm (?:error|ERR!) /, '').slice(0, 300)}`;
  return {
    cause: causeOfFailedInstall(ended),
    detail: `the dependencies could not be installed (npm ${ended.detail})${why}`,
    output,
  };
}
