/** What is wrong with an archive, in words for the person who has it. Nothing of it may be used. */
export class ArchiveRefusedError extends Error {
  override readonly name = 'ArchiveRefusedError';
}
