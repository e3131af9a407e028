import type { Clock, JobContext, JobHandler } from '@dbox/agent-sdk';
import type { CheckResult, DeployResult } from '@dbox/contracts';
import type { HostedRelease } from './hosted-release.ts';
import type { ReleaseRunner } from './release-runner.ts';
import { smokeTest } from './smoke-test.ts';
import type { Supervisor } from './supervisor.ts';
import type { ReleaseBuild } from './targets/target.ts';
import { describeSilence, waitUntilReady } from './wait-until-ready.ts';

export interface DeployOptions {
  readonly runner: ReleaseRunner;
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  readonly readyTimeoutMs: number;
}

/** A release that still runs answers at once or is started anew. */
const WARM_READY_TIMEOUT_MS = 2_000;
/** How long after its job a release waits to be listed as live: the manager's switch takes milliseconds. */
const HELD_FOR_MS = 120_000;

type Phase = Extract<DeployResult, { outcome: 'failed' }>['phase'];

/** Builds a commit, starts it beside what runs, and tests it before it gets any traffic. */
export function createDeployHandler(options: DeployOptions): JobHandler<'deploy'> {
  return (context) => {
    const { releaseId } = context.payload;
    return options.supervisor.holdForJob({ releaseId, signal: context.signal }, (hosted, signal) =>
      deployRelease({ ...options, context, hosted, signal }),
    );
  };
}

interface Deployment extends DeployOptions {
  readonly context: JobContext<'deploy'>;
  readonly hosted: HostedRelease;
  readonly signal: AbortSignal;
}

async function deployRelease(o: Deployment): Promise<DeployResult> {
  const { context, hosted, signal, runner, clock } = o;
  const { releaseId, project, environment, commit, runPlan, checks } = context.payload;
  let phase: Phase = 'building';
  let results: readonly CheckResult[] = [];
  let isStartedHere = false;
  let isGood = false;

  const enter = (next: Phase, action: string) => {
    phase = next;
    return context.progress(action, next);
  };
  const failed = (cause: 'commit' | 'host' | 'final', detail: string, outputTail = ''): DeployResult => {
    const told = hosted.output.redact(detail);
    return {
      kind: 'deploy',
      outcome: 'failed',
      cause,
      detail: told,
      phase,
      checks: [...results],
      outputTail,
    };
  };

  try {
    await enter('building', `building ${commit.slice(0, 7)}`);
    if (runPlan.kind === 'nothing') return failed('commit', 'the commit has nothing to run');
    const refusal = runner.refusal(context.payload);
    if (refusal !== null) return failed('host', refusal);
    const run: ReleaseBuild = {
      releaseId,
      project,
      environment,
      commit,
      runPlan,
      image: context.payload.image,
      settingsVersion: context.payload.settingsVersion,
      tree: runner.treeOf(releaseId),
    };

    let { running, image } = (await takeOver(o, run)) ?? { running: null, image: null };
    if (!running) {
      const built = await runner.prepare(run, {
        checkOut: () => context.checkOut(),
        signal,
        onLine: (stream, line) => context.log(stream, line),
      });
      if (!built.ok) return failed(built.cause, built.detail, built.outputTail);
      image = built.image;
      await enter('starting', 'starting the new release');
      signal.throwIfAborted();
      isStartedHere = true;
      running = await runner.launch(
        hosted,
        { ...run, image },
        {
          signal,
          onExit: (exit) => o.supervisor.exited(hosted, exit),
        },
      );
      hosted.generationDone = null;
      const readiness = await waitUntilReady({
        release: running,
        signal,
        clock,
        timeoutMs: o.readyTimeoutMs,
      });
      if (readiness.kind === 'exited') {
        const { cause, detail } = readiness.exit;
        return failed(cause, `the release ended before it listened: ${detail}`, hosted.output.tail());
      }
      if (readiness.kind === 'silent') {
        return failed('commit', describeSilence(running, o.readyTimeoutMs), hosted.output.tail());
      }
    } else {
      await enter('starting', 'it still runs');
    }

    await enter(
      'smoking',
      checks.length === 1 ? 'checking 1 criterion' : `checking ${checks.length} criteria`,
    );
    const printedLines = () => hosted.output.lines();
    const seen = await smokeTest({ release: running, checks, printedLines, signal, clock });
    results = seen.map((result) => ({ ...result, detail: hosted.output.redact(result.detail) }));
    const bad = results.find((result) => result.outcome === 'failed');
    const unclear = results.find((result) => result.outcome === 'could_not_run');
    if (hosted.running !== running) {
      return failed('commit', 'the release ended during its smoke test', hosted.output.tail());
    }
    if (bad) return failed('commit', bad.detail, hosted.output.tail());
    if (unclear) return failed('final', unclear.detail, hosted.output.tail());
    isGood = true;
    hosted.heldUntilMs = clock.monotonicMs() + HELD_FOR_MS;
    return {
      kind: 'deploy',
      outcome: 'succeeded',
      target: running.target,
      image,
      checks: [...results],
    };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return failed('host', `the release could not be made: ${describe(error)}`, hosted.output.tail());
  } finally {
    // What was stopped on the way is ended, unless it ran before and nothing is known against it; what
    // has the traffic is the supervisor's to judge.
    const isBad = !isGood && (isStartedHere || !signal.aborted);
    if (isBad && hosted.desired?.state !== 'live') await runner.halt(hosted);
  }
}

/** The process that still runs under this release, if it is of this commit and answers. */
async function takeOver(o: Deployment, run: ReleaseBuild) {
  const { hosted, signal, clock, runner } = o;
  const { running } = hosted;
  if (!running) return null;
  const built = await runner.findBuilt(run);
  if (built !== null) {
    const readiness = await waitUntilReady({
      release: running,
      signal,
      clock,
      timeoutMs: WARM_READY_TIMEOUT_MS,
    });
    if (readiness.kind === 'ready') return { running, image: built.image };
  }
  await runner.halt(hosted);
  return null;
}

function describe(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full';
  return message ?? String(error);
}
