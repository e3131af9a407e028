import { createReadStream } from 'node:fs';
import type { BundleFile } from '../ports/repositories.ts';
import type { ByteStream } from './handlers.ts';

/** Streams a bundle and disposes of its file, whether the reader stays to the end or not. */
export async function openBundle(bundle: BundleFile): Promise<ByteStream> {
  const body = createReadStream(bundle.path);
  body.once('close', () => void bundle.dispose());
  return { body, mediaType: 'application/x-git-bundle', sizeBytes: bundle.sizeBytes, fileName: null };
}
