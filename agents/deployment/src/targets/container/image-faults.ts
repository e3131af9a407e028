import type { ImageDetail } from '../../engine/engine-answers.ts';
import { hasCode } from '../../engine/engine-error.ts';
import { LABELS } from '../../engine/names.ts';

/** What each image of a build carries; its containers are given their own of these. */
const OF_BUILDS: ReadonlySet<string> = new Set([LABELS.box, LABELS.project, LABELS.commit, LABELS.role]);
const REFUSED = Object.values(LABELS).filter((label) => !OF_BUILDS.has(label));

/**
 * Why no container is made of an image: the engine hands an image's labels on to its containers, and by
 * them the box knows what is whose. Null where it has none of the box's.
 */
export function refuseLabels(image: ImageDetail): string | null {
  const labels = image.Config?.Labels ?? {};
  const own = REFUSED.find((label) => Object.hasOwn(labels, label));
  return own === undefined ? null : `the image has the label ${own}, which is one of the box's: leave it out`;
}

/** What the engine says of a start that the image itself makes impossible. */
const SAID_OF_IMAGES =
  /executable file not found|no such file or directory|permission denied|exec format error|no command specified|unable to find (user|group)|invalid signal/i;

export function isImagesFault(error: unknown): boolean {
  return hasCode(error, 'failed') && SAID_OF_IMAGES.test(String(error));
}
