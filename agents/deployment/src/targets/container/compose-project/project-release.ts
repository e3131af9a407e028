import type { ReleaseExit, RunningRelease } from '../../target.ts';

export interface ReleasePart {
  readonly service: string;
  readonly release: RunningRelease;
}

/**
 * Several containers as one release: it ends when the one that serves ends, or when one beside it
 * fails; then all of them do. One beside it that ends well has done its work.
 */
export function joinParts(o: {
  readonly web: RunningRelease;
  readonly parts: readonly ReleasePart[];
  /** After all have ended. */
  readonly tidy: () => Promise<void>;
}): RunningRelease {
  const { web, parts } = o;
  const failed = parts.map(async ({ service, release }): Promise<ReleaseExit> => {
    const exit = await release.exited;
    if (exit.exitCode === 0) return new Promise<never>(() => undefined);
    return { ...exit, detail: `its service ${service}: ${exit.detail}` };
  });
  const first = Promise.race([web.exited, ...failed]);
  let ending: Promise<void> | null = null;
  const endAll = (graceMs: number): Promise<void> => {
    ending ??= (async () => {
      // First what serves, so that nothing it needs is gone before it.
      const stops = [await settled(web.stop(graceMs))];
      stops.push(...(await Promise.all(parts.map(({ release }) => settled(release.stop(graceMs))))));
      await o.tidy().catch(() => undefined);
      const failure = stops.find((stop) => stop.status === 'rejected');
      if (failure === undefined) return;
      // What may still run is for whoever asks again to stop: nobody would hear of an end that never comes.
      ending = null;
      throw failure.reason;
    })();
    return ending;
  };
  const exited = first.then(async (exit) => {
    await endAll(0).catch(() => undefined);
    return exit;
  });
  return {
    target: web.target,
    pid: null,
    whySilent: web.whySilent ?? null,
    exited,
    async stop(graceMs) {
      await endAll(graceMs);
      await exited;
    },
  };
}

async function settled(work: Promise<void>): Promise<PromiseSettledResult<void>> {
  return (await Promise.allSettled([work]))[0]!;
}
