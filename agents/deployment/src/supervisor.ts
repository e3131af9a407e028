import { type Clock, LeaseGone } from '@dbox/agent-sdk';
import type { DesiredRelease, ReleaseObservation, Topology } from '@dbox/contracts';
import { createHostedRelease, type HostedRelease } from './hosted-release.ts';
import { nextStep, type ReleaseFacts } from './next-step.ts';
import type { ReleaseFiles } from './release-files.ts';
import type { ReleaseOutput } from './release-output.ts';
import type { RecoveredRelease, ReleaseRunner } from './release-runner.ts';
import { afterSuccess, decideRestart, NO_FAILURES } from './restart-policy.ts';
import type { ReleaseExit, RunnablePlan } from './targets/target.ts';
import { describeSilence, waitUntilReady } from './wait-until-ready.ts';

export interface SupervisorOptions {
  readonly runner: ReleaseRunner;
  readonly files: ReleaseFiles;
  readonly clock: Clock;
  readonly readyTimeoutMs: number;
  readonly observe: (observation: ReleaseObservation) => void;
  readonly openOutput: (releaseId: string) => ReleaseOutput;
  /** A checkout of a release's commit, from the manager. */
  readonly fetchSource: (release: DesiredRelease, signal: AbortSignal) => Promise<string>;
  readonly warn: (message: string, data: object) => void;
}

/** Keeps what runs equal to what the manager wants. */
export interface Supervisor {
  /** Goes on with what a former life of this agent has left; who is not wanted goes at the first revision. */
  takeBack(recovered: readonly RecoveredRelease[]): Promise<void>;
  /** Looks for what nobody knows of, and ends it. */
  sweep(): Promise<void>;
  /** Takes a newer revision over. */
  apply(topology: Topology): Promise<void>;
  /**
   * Gives the release to a deploy job alone until `work` is done. A former job that still has it, or a
   * start under way, is told to let go first.
   */
  holdForJob<T>(
    o: { readonly releaseId: string; readonly signal: AbortSignal },
    work: (hosted: HostedRelease, signal: AbortSignal) => Promise<T>,
  ): Promise<T>;
  /** What to do when a process that a job started ends by itself. */
  exited(hosted: HostedRelease, exit: ReleaseExit): void;
  /** Stops every release of this agent. May be called twice. */
  stop(): Promise<void>;
}

/** The last lines of a stopping box are not worth waiting long for. */
const LAST_LINES_MS = 1_000;

export function createSupervisor(o: SupervisorOptions): Supervisor {
  const { runner, files, clock } = o;
  const releases = new Map<string, HostedRelease>();
  let knowsDisk = false;
  let isTold = false;
  let stopping: Promise<void> | null = null;

  function hostedOf(releaseId: string): HostedRelease {
    let hosted = releases.get(releaseId);
    if (!hosted) {
      hosted = createHostedRelease(releaseId, o.openOutput(releaseId));
      releases.set(releaseId, hosted);
    }
    return hosted;
  }

  /** Queues a look at the release; one that waits already will see what changed. */
  function look(hosted: HostedRelease): void {
    if (stopping || hosted.isLookQueued) return;
    hosted.isLookQueued = true;
    hosted.lock
      .run(async () => {
        hosted.isLookQueued = false;
        await settle(hosted);
      })
      .catch((error) => {
        o.warn('a release could not be brought to what is wanted', {
          releaseId: hosted.releaseId,
          error: String(error),
        });
        // A full disk or the like: not at once again, and not never.
        wakeAt(hosted, clock.monotonicMs() + 5_000);
      });
  }

  async function settle(hosted: HostedRelease): Promise<void> {
    // A job that waits for it goes first, and looks again when it is done.
    while (!stopping && !hosted.job) {
      const step = nextStep(factsOf(hosted), clock.monotonicMs());
      if (step.kind === 'wait') {
        if (hosted.running) await runner.noteGeneration(hosted);
        return wakeAt(hosted, step.untilMs);
      }
      if (step.kind === 'remove') return await remove(hosted);
      if (step.kind !== 'start') await runner.halt(hosted);
      if (step.kind === 'stop') o.observe({ type: 'stopped', releaseId: hosted.releaseId });
      else await start(hosted);
    }
  }

  async function remove(hosted: HostedRelease): Promise<void> {
    await runner.remove(hosted.releaseId);
    // A job or a revision may have asked for it again meanwhile.
    if (hosted.job || hosted.desired) return;
    releases.delete(hosted.releaseId);
    void hosted.output.flush().then(() => hosted.output.close());
  }

  async function start(hosted: HostedRelease): Promise<void> {
    const { desired } = hosted;
    if (!desired) return;
    if (hosted.generationDone !== null && desired.generation > hosted.generationDone) {
      hosted.failures = NO_FAILURES;
      hosted.hasGivenUp = false;
    }
    hosted.generationDone = desired.generation;
    const { releaseId, runPlan } = desired;
    const refusal = runPlan.kind === 'nothing' ? 'there is nothing to run' : runner.refusal(desired);
    if (refusal !== null || runPlan.kind === 'nothing') {
      hosted.hasGivenUp = true;
      const outputTail = refusal ?? '';
      o.observe({ type: 'exited', releaseId, exitCode: null, signal: null, outputTail, gaveUp: true });
      return;
    }
    const giveWay = new AbortController();
    hosted.startUnderWay = giveWay;
    try {
      await startAndWait(hosted, desired, runPlan, giveWay.signal);
    } catch (error) {
      // First, because a host that cannot start it may not be able to halt it either.
      if (!giveWay.signal.aborted) recordExit(hosted, notRun('host', String(error)), '');
      await runner.halt(hosted);
    } finally {
      hosted.startUnderWay = null;
    }
  }

  async function startAndWait(
    hosted: HostedRelease,
    desired: DesiredRelease,
    runPlan: RunnablePlan,
    signal: AbortSignal,
  ): Promise<void> {
    const { releaseId } = desired;
    const run = { ...desired, runPlan, tree: runner.treeOf(releaseId) };
    const prepared = await runner.prepare(run, {
      checkOut: () => o.fetchSource(desired, signal),
      signal,
      onLine: (stream, line) => hosted.output.push(stream, line),
    });
    if (!prepared.ok) {
      return recordExit(hosted, notRun(prepared.cause, prepared.detail), prepared.outputTail);
    }
    signal.throwIfAborted();
    const running = await runner.launch(
      hosted,
      { ...run, image: prepared.image },
      {
        signal,
        onExit: (exit) => exited(hosted, exit),
      },
    );
    const readiness = await waitUntilReady({ release: running, signal, clock, timeoutMs: o.readyTimeoutMs });
    if (readiness.kind === 'ready') {
      hosted.failures = afterSuccess(hosted.failures);
      const { target } = running;
      o.observe({ type: 'started', releaseId, target, generation: desired.generation });
    } else if (readiness.kind === 'silent') {
      await runner.halt(hosted);
      const detail = describeSilence(running, o.readyTimeoutMs);
      recordExit(hosted, notRun('commit', detail), hosted.output.tail());
    }
    // Where it exited, `exited` has heard of it.
  }

  function exited(hosted: HostedRelease, exit: ReleaseExit): void {
    if (stopping) return;
    void files.forgetProcess(hosted.releaseId);
    // A job sees it itself.
    if (hosted.job) return;
    const isWanted = hosted.desired?.state === 'live' || clock.monotonicMs() < hosted.heldUntilMs;
    if (isWanted) recordExit(hosted, exit, hosted.output.tail());
    else o.observe({ type: 'stopped', releaseId: hosted.releaseId });
    look(hosted);
  }

  async function endStray(hosted: HostedRelease): Promise<void> {
    if (hosted.running || hosted.job || hosted.startUnderWay) return;
    await hosted.lock.run(async () => {
      if (!hosted.running && !stopping) await runner.remove(hosted.releaseId);
    });
    look(hosted);
  }

  async function takeBackOne({ former, wasWanted, generation }: RecoveredRelease): Promise<void> {
    const hosted = hostedOf(former.releaseId);
    await hosted.lock.run(async () => {
      const isLost = !former.isRunning && wasWanted;
      if (!former.isRunning && !isLost) return;
      hosted.generationDone = generation;
      const running = await runner.takeBack(hosted, former, (exit) => exited(hosted, exit));
      if (former.isRunning) hosted.isTakenBack = true;
      // It ended while nobody looked; whether that matters only the first revision says.
      else hosted.endedAway = await running.exited;
    });
  }

  function recordExit(hosted: HostedRelease, exit: ReleaseExit, output: string): void {
    const { releaseId } = hosted;
    const { exitCode, signal, cause, detail } = exit;
    const nowMs = clock.monotonicMs();
    const decision = decideRestart(hosted.failures, cause, nowMs);
    hosted.failures = decision.failures;
    hosted.hasGivenUp = decision.kind === 'give_up';
    if (decision.kind === 'restart') hosted.restartDueAtMs = nowMs + decision.afterMs;
    if (decision.kind === 'restart' && cause === 'host') {
      o.warn('this host could not run a release; it is tried again', {
        releaseId,
        error: hosted.output.redact(detail),
        nextTryInMs: decision.afterMs,
      });
    }
    if (!decision.isTold) return;
    const outputTail = hosted.output.redact(`${output}\n${detail}`.trim());
    o.observe({ type: 'exited', releaseId, exitCode, signal, outputTail, gaveUp: hosted.hasGivenUp });
  }

  function wakeAt(hosted: HostedRelease, atMs: number | null): void {
    hosted.wake?.abort();
    hosted.wake = null;
    if (atMs === null || stopping) return;
    const wake = new AbortController();
    hosted.wake = wake;
    void clock.sleep(Math.max(0, atMs - clock.monotonicMs()), wake.signal).then(() => {
      if (!wake.signal.aborted) look(hosted);
    });
  }

  async function stopAll(): Promise<void> {
    await Promise.all(
      [...releases.values()].map(async (hosted) => {
        hosted.job?.abort(new LeaseGone('the agent is stopping'));
        hosted.startUnderWay?.abort();
        hosted.wake?.abort();
        await hosted.lock.run(() => runner.halt(hosted));
        const patience = new AbortController();
        await Promise.race([hosted.output.flush(), clock.sleep(LAST_LINES_MS, patience.signal)]);
        patience.abort();
        hosted.output.close();
      }),
    );
    await runner.close().catch((error) => {
      o.warn('services that live on could not be stopped', { error: String(error) });
    });
  }

  return {
    exited,
    async apply(topology) {
      if (!knowsDisk) {
        // Trees of releases that were taken off the list while the agent was away.
        for (const releaseId of await runner.listKept()) hostedOf(releaseId);
        knowsDisk = true;
      }
      if (stopping) return;
      isTold = true;
      const nowMs = clock.monotonicMs();
      const listed = new Map(topology.releases.map((release) => [release.releaseId, release]));
      for (const releaseId of listed.keys()) hostedOf(releaseId);
      for (const hosted of releases.values()) adjust(hosted, listed.get(hosted.releaseId) ?? null, nowMs);
      void runner.keepOnly(topology.releases).catch((error) => {
        o.warn('builds that are no longer needed could not be removed', { error: String(error) });
      });
    },
    async takeBack(recovered) {
      await Promise.all(recovered.map(takeBackOne));
    },
    async sweep() {
      // Before the first revision everything is unknown.
      if (!isTold || stopping) return;
      for (const releaseId of await runner.listKept())
        if (!releases.has(releaseId)) look(hostedOf(releaseId));
      // A start whose answer was lost: nobody would ever hear of its end.
      for (const releaseId of await runner.listRunning()) await endStray(hostedOf(releaseId));
    },
    async holdForJob({ releaseId, signal }, work) {
      const hosted = hostedOf(releaseId);
      hosted.job?.abort(new LeaseGone('the job was handed out again'));
      hosted.startUnderWay?.abort();
      const mine = new AbortController();
      hosted.job = mine;
      const either = AbortSignal.any([signal, mine.signal]);
      try {
        return await hosted.lock.run(() => {
          either.throwIfAborted();
          return work(hosted, either);
        });
      } finally {
        if (hosted.job === mine) hosted.job = null;
        look(hosted);
      }
    },
    stop() {
      stopping ??= Promise.resolve().then(stopAll);
      return stopping;
    },
  };

  function adjust(hosted: HostedRelease, desired: DesiredRelease | null, nowMs: number): void {
    hosted.desired = desired;
    const wasJustFound = hosted.isTakenBack || hosted.endedAway !== null;
    if (desired?.state === 'live') {
      hosted.warmSinceMs = null;
      hosted.hasServed = true;
      hosted.heldUntilMs = Number.NEGATIVE_INFINITY;
      // A process that a job has started is the first of this generation.
      if (hosted.running) hosted.generationDone ??= desired.generation;
      if (hosted.running && hosted.isTakenBack) {
        // Whatever the former life had no time to say: where it is reached.
        const { target } = hosted.running;
        o.observe({
          type: 'started',
          releaseId: hosted.releaseId,
          target,
          generation: hosted.generationDone ?? 0,
        });
      }
      const { endedAway } = hosted;
      if (endedAway) recordExit(hosted, endedAway, hosted.output.tail());
    } else {
      hosted.warmSinceMs ??= nowMs;
      hosted.startUnderWay?.abort();
    }
    if (wasJustFound) {
      hosted.isTakenBack = false;
      hosted.endedAway = null;
    }
    look(hosted);
  }
}

/** It did not come to an exit of its own. */
function notRun(cause: ReleaseExit['cause'], detail: string): ReleaseExit {
  return { exitCode: null, signal: null, cause, detail };
}

function factsOf(hosted: HostedRelease): ReleaseFacts {
  const { desired, generationDone } = hosted;
  return {
    desired: desired?.state ?? null,
    isRunning: hosted.running !== null,
    wantsRestart: desired !== null && generationDone !== null && desired.generation > generationDone,
    hasGivenUp: hosted.hasGivenUp,
    restartDueAtMs: hosted.restartDueAtMs,
    heldUntilMs: hosted.heldUntilMs,
    warmSinceMs: hosted.warmSinceMs,
    hasServed: hosted.hasServed,
  };
}
