export { ArchiveRefusedError } from './archive-refused.ts';
export { FORMAT, Manifest, Opening } from './manifest.ts';
export type { ArchiveEntry } from './read-archive.ts';
export { readArchive } from './read-archive.ts';
export { saveArchive } from './save-archive.ts';
export type { ArchivePart } from './write-archive.ts';
export { writeArchive } from './write-archive.ts';
