import type { JobContext, JobHandler } from '@dbox/agent-sdk';
import { GitError } from '@dbox/agent-sdk';
import type { Check, CheckResult, CommandCriterion, TestJobResult, TestResult } from '@dbox/contracts';
import type { Sandbox } from '@dbox/sandbox';
import { findChangedTestFiles } from './changed-test-files.ts';
import { type EntryRunner, openEntryRunner } from './entry-runner.ts';
import { judgeCheck } from './judge-check.ts';
import { judgeTest } from './judge-test.ts';
import { type SetUpFault, setUp } from './set-up.ts';
import { separateRepository, type WorkingTree } from './working-tree.ts';

export interface TestJobOptions {
  readonly sandbox: Sandbox;
  /** A person has said `--no-sandbox`: code that the box did not write itself may run without one. */
  readonly allowUnsandboxed: boolean;
  readonly nowMs?: () => number;
}

/** Gathers the evidence of one verdict; what it adds up to is the manager's to say. */
export function createTestHandler(options: TestJobOptions): JobHandler<'test'> {
  const { sandbox } = options;
  const nowMs = options.nowMs ?? (() => performance.now());

  return async (context): Promise<TestJobResult> => {
    const { payload, scratchDir, signal } = context;
    if (sandbox.kind === 'none') {
      if (!payload.trusted && !options.allowUnsandboxed) return refuse(sandbox);
      context.log('agent', `warning: this runs without a sandbox (${sandbox.missing})`);
    }
    const deadlineMs = nowMs() + payload.maxMinutes * 60_000;
    await context.progress('checking out the commit');
    const tree = await context.checkOut({ commit: payload.commit });
    const workingTree = await separateRepository({ tree, scratchDir, commit: payload.commit, signal });
    const changedTestFiles = await findChanges(context, workingTree);
    await context.progress('setting up what the tests need');
    const fault = await setUp({ context, sandbox, tree, timeLeftMs: deadlineMs - nowMs() });

    const runner = openEntryRunner({ context, sandbox, workingTree, deadlineMs, nowMs });
    const tests: TestResult[] = [];
    for (const { run } of payload.tests) {
      tests.push(fault === null ? await runTest(context, runner, run) : neverRan(run, fault));
    }
    const checks: CheckResult[] = [];
    for (const check of payload.checks) {
      if (check.criterion.kind !== 'command') continue;
      checks.push(
        fault === null
          ? await runCheck(context, runner, check, check.criterion)
          : { id: check.id, outcome: 'could_not_run', detail: fault.detail, latencyMs: null },
      );
    }
    for (const artifact of runner.artifacts()) {
      await context.uploadArtifact(artifact.name, artifact.file, artifact.mediaType);
    }
    return { kind: 'test', outcome: 'succeeded', tests, checks, changedTestFiles };
  };
}

function refuse(sandbox: Sandbox): TestJobResult {
  return {
    kind: 'test',
    outcome: 'failed',
    cause: 'host',
    detail: `the tests were not run: they are code that the box did not write, and the sandbox (bubblewrap) cannot be used here: ${sandbox.missing}. Mend that and start again, or start the box with --no-sandbox to run them without one.`,
  };
}

async function findChanges(context: JobContext<'test'>, workingTree: WorkingTree): Promise<string[]> {
  const { payload } = context;
  if (payload.baseCommit === null) return [];
  const commands = [
    ...payload.tests.map((test) => test.run),
    ...payload.checks.map((check) => (check.criterion.kind === 'command' ? check.criterion.run : '')),
  ];
  try {
    return await findChangedTestFiles({
      git: workingTree.git,
      base: payload.baseCommit,
      commit: payload.commit,
      commands,
    });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    // The base is no ancestor and did not come along: the tests are still worth running.
    context.log('agent', `changed test files are unknown: ${error.message}`);
    return [];
  }
}

const OUT_OF_TIME = "not run: the task's time was used up by what ran before it";

async function runTest(context: JobContext<'test'>, runner: EntryRunner, run: string): Promise<TestResult> {
  await context.progress(`running ${run}`);
  const ended = await runner.run(run);
  if (ended === null) return neverRan(run, { cause: 'commit', detail: OUT_OF_TIME, output: '' });
  return judgeTest(run, ended);
}

async function runCheck(
  context: JobContext<'test'>,
  runner: EntryRunner,
  check: Check,
  criterion: CommandCriterion,
): Promise<CheckResult> {
  await context.progress(`checking ${criterion.run}`);
  const ended = await runner.run(criterion.run);
  if (ended === null) return { id: check.id, outcome: 'could_not_run', detail: OUT_OF_TIME, latencyMs: null };
  return judgeCheck(check, criterion, ended);
}

function neverRan(run: string, fault: SetUpFault): TestResult {
  return {
    run,
    outcome: 'could_not_run',
    cause: fault.cause,
    exitCode: null,
    detail: fault.detail,
    counts: null,
    durationMs: 0,
    outputHead: fault.output,
    outputTail: '',
    outputCutBytes: 0,
  };
}
