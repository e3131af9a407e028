import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { z } from 'zod';
import { LABELS } from '../../../engine/names.ts';

/** No compose file that is read is longer; what unpacks to more is none of ours. */
const MAX_TEXT_BYTES = 512 * 1024;

/**
 * A release of several containers has one image that stands for it: empty, with the compose file and
 * the ids of all images in its labels. So it is named by one digest, and a rollback needs no source.
 */
export interface ProjectManifest {
  readonly composeFile: string;
  readonly path: string;
  /** The image of each service, `sha256:…`. */
  readonly images: Readonly<Record<string, string>>;
}

const Images = z.object({ path: z.string(), images: z.record(z.string(), z.string()) });

export function writeManifest(manifest: ProjectManifest): Readonly<Record<string, string>> {
  return {
    [LABELS.composeFile]: deflateRawSync(manifest.composeFile).toString('base64url'),
    [LABELS.images]: JSON.stringify({ path: manifest.path, images: manifest.images }),
  };
}

/** Null where the image is no such one. Labels may be anybody's. */
export function readManifest(labels: Readonly<Record<string, string>>): ProjectManifest | null {
  const packed = labels[LABELS.composeFile];
  const listed = labels[LABELS.images];
  if (packed === undefined || listed === undefined) return null;
  try {
    const { path, images } = Images.parse(JSON.parse(listed));
    const text = inflateRawSync(Buffer.from(packed, 'base64url'), { maxOutputLength: MAX_TEXT_BYTES });
    return { composeFile: text.toString('utf8'), path, images };
  } catch {
    return null;
  }
}
