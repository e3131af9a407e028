import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunPlan } from '@dbox/contracts';
import type { SettingsSource } from './fetch-release-settings.ts';
import type { HostedRelease } from './hosted-release.ts';
import { stripRepository } from './lay-out-source.ts';
import { createLogPosition } from './log-position.ts';
import { endRecorded, readStartedTick } from './recorded-process.ts';
import type { ReleaseFiles } from './release-files.ts';
import type {
  BuildOutcome,
  DeploymentTarget,
  FormerRelease,
  LineSink,
  ReleaseBuild,
  ReleaseExit,
  RunningRelease,
} from './targets/target.ts';

/** What a release gets between SIGTERM and SIGKILL. Its requests have gone elsewhere before. */
const STOP_GRACE_MS = 3_000;

/** The steps that a deploy job and the supervisor share. Each is taken under the release's lock. */
export interface ReleaseRunner {
  treeOf(releaseId: string): string;
  /** Why this code may not run here; null where it may. */
  refusal(run: { readonly trusted: boolean; readonly runPlan: RunPlan }): string | null;
  /** What was built of it and is still there, with its image where there are any; null where nothing is. */
  findBuilt(run: ReleaseBuild): Promise<{ readonly image: string | null } | null>;
  /** Lays out and builds what is not there yet. `checkOut` brings the commit's checkout; it is moved. */
  prepare(
    run: ReleaseBuild,
    options: {
      readonly checkOut: () => Promise<string>;
      readonly signal: AbortSignal;
      readonly onLine: LineSink;
    },
  ): Promise<BuildOutcome>;
  /** Fetches its settings, records it, then starts it. `onExit` is called when it ends other than by `halt`. */
  launch(
    hosted: HostedRelease,
    run: ReleaseBuild,
    options: { readonly signal: AbortSignal; readonly onExit: (exit: ReleaseExit) => void },
  ): Promise<RunningRelease>;
  /** Ends the process, if there is one. */
  halt(hosted: HostedRelease): Promise<void>;
  /** What a killed life of this box has left: what cannot go on is ended. Before anything is started. */
  recover(): Promise<readonly RecoveredRelease[]>;
  /** Goes on with a release of a former life: its log from where it was read to, and its end. */
  takeBack(
    hosted: HostedRelease,
    former: FormerRelease,
    onExit: (exit: ReleaseExit) => void,
  ): Promise<RunningRelease>;
  /** The restart generation that runs, for the next life of this agent. */
  noteGeneration(hosted: HostedRelease): Promise<void>;
  /** Removes all that is left of a release that does not run. */
  remove(releaseId: string): Promise<void>;
  keepOnly: DeploymentTarget['keepOnly'];
  /** The releases have ended; what lives beside them ends, too. */
  close: DeploymentTarget['close'];
  /** Releases of which something is kept, here or where they run. */
  listKept(): Promise<readonly string[]>;
  /** Releases that run where they run, whoever started them. */
  listRunning(): Promise<readonly string[]>;
}

export interface RecoveredRelease {
  readonly former: FormerRelease;
  /** Whether it was to run when the former life ended. */
  readonly wasWanted: boolean;
  readonly generation: number | null;
}

export function createReleaseRunner(o: {
  readonly target: DeploymentTarget;
  readonly files: ReleaseFiles;
  /** Marks everything this box starts; the same in its next life. */
  readonly boxMarker: string;
  readonly settings: SettingsSource;
}): ReleaseRunner {
  const { target, files } = o;
  const markerPrefix = `${o.boxMarker}/release/`;

  async function findBuilt(run: ReleaseBuild): Promise<{ image: string | null } | null> {
    if (target.runsFromTree) return (await files.isBuilt(run.releaseId, run.commit)) ? { image: null } : null;
    const image = await target.findImage(run);
    return image === null ? null : { image };
  }

  /** What a release prints goes to its log; where in the engine's log that was is noted now and then. */
  function lineSink(hosted: HostedRelease): LineSink {
    const position = createLogPosition((at) => files.writeLogPosition(hosted.releaseId, at));
    return (stream, line, at) => {
      hosted.output.push(stream, line);
      if (at !== undefined) position.passed(at);
    };
  }

  function watch(hosted: HostedRelease, running: RunningRelease, onExit: (exit: ReleaseExit) => void): void {
    hosted.running = running;
    void running.exited.then((exit) => {
      if (hosted.running !== running) return;
      hosted.running = null;
      onExit(exit);
    });
  }

  return {
    treeOf: files.treeOf,
    refusal: (run) => target.refusal(run),
    findBuilt,

    async prepare(run, { checkOut, signal, onLine }) {
      const built = await findBuilt(run);
      if (built !== null) return { ok: true, ...built };
      await files.adopt(run.releaseId, await stripRepository(await checkOut()));
      const outcome = await target.build(run, { signal, onLine });
      if (!target.runsFromTree) await files.removeTree(run.releaseId);
      else if (outcome.ok) await files.markBuilt(run.releaseId, run.commit);
      return outcome;
    },

    async launch(hosted, run, { signal, onExit }) {
      const { releaseId } = run;
      const settings = await o.settings.fetch(run, signal);
      signal.throwIfAborted();
      hosted.output.hide(settings);
      const marker = markerPrefix + releaseId;
      await files.writeProcess(releaseId, { marker, pid: null, startedTick: null });
      hosted.output.beginProcess();
      const running = await target.start({ ...run, settings }, { marker, signal, onLine: lineSink(hosted) });
      watch(hosted, running, onExit);
      const { pid } = running;
      const startedTick = pid === null ? null : await readStartedTick(pid);
      await files.writeProcess(releaseId, { marker, pid, startedTick });
      return running;
    },

    async takeBack(hosted, former, onExit) {
      const since = await files.readLogPosition(hosted.releaseId);
      hosted.output.holdBack();
      void o.settings.recall(hosted.releaseId).then(
        (settings) => hosted.output.hide(settings),
        (error) => hosted.output.withhold(String(error)),
      );
      const running = await former.take({ since, onLine: lineSink(hosted) });
      if (former.isRunning) watch(hosted, running, onExit);
      return running;
    },

    async halt(hosted) {
      const { running } = hosted;
      if (!running) return;
      hosted.running = null;
      await running.stop(STOP_GRACE_MS);
      await files.forgetProcess(hosted.releaseId);
    },

    async recover() {
      const formers = await target.recover(markerPrefix);
      const recovered = await Promise.all(
        formers.map(async (former) => ({
          former,
          wasWanted: (await files.readProcess(former.releaseId)) !== null,
          generation: await files.readGeneration(former.releaseId),
        })),
      );
      const goesOn = new Set(formers.filter(({ isRunning }) => isRunning).map(({ releaseId }) => releaseId));
      for (const releaseId of await files.list()) {
        const record = await files.readProcess(releaseId);
        if (record === null || goesOn.has(releaseId)) continue;
        await endRecorded(record);
        await files.forgetProcess(releaseId);
      }
      return recovered;
    },

    async noteGeneration({ releaseId, generationDone }) {
      if (!target.runsFromTree && generationDone !== null)
        await files.writeGeneration(releaseId, generationDone);
    },

    async remove(releaseId) {
      await target.forget(releaseId);
      await files.remove(releaseId);
    },

    keepOnly: target.keepOnly,
    close: target.close,
    async listKept() {
      const kept = await target.listKept();
      return [...new Set([...(await files.list()), ...kept.map(({ releaseId }) => releaseId)])];
    },
    async listRunning() {
      const kept = await target.listKept();
      return kept.filter(({ isRunning }) => isRunning).map(({ releaseId }) => releaseId);
    },
  };
}

/** Where a tree is laid out before it is moved in; emptied each time. */
export function layOutDirectory(stateDir: string, releaseId: string): string {
  return join(stateDir, 'releases', '.laying-out', releaseId);
}

export function clearLayOutDirectory(stateDir: string): Promise<void> {
  return rm(join(stateDir, 'releases', '.laying-out'), { recursive: true, force: true });
}
