import type { Engine } from '../../engine/engine.ts';
import { hasCode } from '../../engine/engine-error.ts';
import { LABELS, type Names } from '../../engine/names.ts';
import type { WantedBuild } from '../target.ts';
import { readManifest } from './compose-project/project-manifest.ts';

/** Of each project, besides what a listed release needs: for whoever rolls back by hand. */
export const KEPT_IMAGES = 5;

/** A build of a project of several images may take so long. */
const PART_GRACE_MS = 3_600_000;

/** Which images are kept for rollbacks. Others of the box go; what a container uses the engine itself keeps. */
export function createImageShelf(o: { readonly engine: Engine; readonly names: Names }) {
  const { engine } = o;
  /** Built in this life: a cached build's image may be the oldest of all and yet be about to start. */
  const fresh = new Set<string>();
  let listed: readonly WantedBuild[] = [];
  let last: Promise<void> = Promise.resolve();

  async function tidy(): Promise<void> {
    const images = await engine.listImages([`${LABELS.role}=release`]);
    const wantedIds = new Set(listed.map(({ image }) => image));
    const wantedTags = new Set(listed.map(({ project, commit }) => o.names.image(project, commit)));
    const parts = await engine.listImages([`${LABELS.role}=part`]);
    const needed = new Set<string>();
    const newestFirst = [...images].sort((a, b) => b.Created - a.Created);
    const countOf = new Map<string, number>();
    for (const { Id, Labels, RepoTags } of newestFirst) {
      const project = Labels[LABELS.project] ?? '';
      const isWanted = wantedIds.has(Id) || RepoTags?.some((tag) => wantedTags.has(tag));
      const isTagged = (RepoTags ?? []).some((tag) => !tag.startsWith('<none>'));
      const count = countOf.get(project) ?? 0;
      const isSpare = isTagged && count < KEPT_IMAGES;
      if (isWanted || fresh.has(Id) || isSpare) {
        for (const image of Object.values(readManifest(Labels)?.images ?? {})) needed.add(image);
        if (!isWanted && isSpare) countOf.set(project, count + 1);
      } else await engine.removeImage(Id).catch(ignoreBroken);
    }
    // Images of a project that is several: they go with what stands for all of them, but not before it is made.
    const newestMs = Date.now() - PART_GRACE_MS;
    for (const { Id, Created } of parts) {
      if (needed.has(Id) || Created * 1000 > newestMs) continue;
      await engine.removeImage(Id).catch(ignoreBroken);
    }
  }

  return {
    madeNow(image: string): void {
      // Set order is age: the newest stay.
      fresh.delete(image);
      fresh.add(image);
      for (const old of fresh) {
        if (fresh.size <= KEPT_IMAGES) break;
        fresh.delete(old);
      }
    },
    /** One at a time; the newest list counts. */
    keepOnly(wanted: readonly WantedBuild[]): Promise<void> {
      listed = wanted;
      const mine = last.then(tidy);
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}

/** The next round tries again. */
function ignoreBroken(error: unknown): void {
  if (!hasCode(error, 'failed', 'lost', 'timed_out')) throw error;
}
