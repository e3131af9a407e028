import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunPlan } from '@dbox/contracts';
import type { HostedRelease } from './hosted-release.ts';
import { stripRepository } from './lay-out-source.ts';
import { endRecorded, readStartedTick } from './recorded-process.ts';
import type { ReleaseFiles } from './release-files.ts';
import type {
  BuildOutcome,
  DeploymentTarget,
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
  isBuilt(run: ReleaseBuild): Promise<boolean>;
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
  /** Ends what a killed life of this box has left running. Before anything is started. */
  endFormerLife(): Promise<void>;
}

export function createReleaseRunner(o: {
  readonly target: DeploymentTarget;
  readonly files: ReleaseFiles;
  /** Marks everything this box starts; the same in its next life. */
  readonly boxMarker: string;
  /** A release's settings in clear, from the manager. */
  readonly fetchSettings: (run: ReleaseBuild, signal: AbortSignal) => Promise<Record<string, string>>;
}): ReleaseRunner {
  const { target, files } = o;
  const markerPrefix = `${o.boxMarker}/release/`;

  return {
    treeOf: files.treeOf,
    refusal: (run) => target.refusal(run),
    isBuilt: (run) => files.isBuilt(run.releaseId, run.commit),

    async prepare(run, { checkOut, signal, onLine }) {
      if (await files.isBuilt(run.releaseId, run.commit)) return { ok: true, image: run.image };
      await files.adopt(run.releaseId, await stripRepository(await checkOut()));
      const outcome = await target.build(run, { signal, onLine });
      if (outcome.ok) await files.markBuilt(run.releaseId, run.commit);
      return outcome;
    },

    async launch(hosted, run, { signal, onExit }) {
      const { releaseId } = run;
      const settings = await o.fetchSettings(run, signal);
      signal.throwIfAborted();
      const marker = markerPrefix + releaseId;
      await files.writeProcess(releaseId, { marker, pid: null, startedTick: null });
      hosted.output.beginProcess();
      const running = await target.start(
        { ...run, settings },
        {
          marker,
          onLine: (stream, line) => hosted.output.push(stream, line),
        },
      );
      hosted.running = running;
      const { pid } = running;
      const startedTick = pid === null ? null : await readStartedTick(pid);
      await files.writeProcess(releaseId, { marker, pid, startedTick });
      void running.exited.then(async (exit) => {
        if (hosted.running !== running) return;
        hosted.running = null;
        onExit(exit);
      });
      return running;
    },

    async halt(hosted) {
      const { running } = hosted;
      if (!running) return;
      hosted.running = null;
      await running.stop(STOP_GRACE_MS);
      await files.forgetProcess(hosted.releaseId);
    },

    async endFormerLife() {
      await target.endLeftovers(markerPrefix);
      for (const releaseId of await files.list()) {
        const record = await files.readProcess(releaseId);
        if (record === null) continue;
        await endRecorded(record);
        await files.forgetProcess(releaseId);
      }
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
