import type { Readable } from 'node:stream';
import type { Attachment } from '@dbox/contracts';

/** Files on the share for people to read, and what came with a story. Never the truth: that is the store. */
export interface WorkspaceFiles {
  /** `tasks/<taskId>/spec.yaml`. */
  writeSpec(taskId: string, yaml: string): Promise<void>;
  /** Durable before the story is acknowledged; keyed by task, since file names in specs may repeat. */
  saveAttachments(storyId: string, byTask: ReadonlyMap<string, readonly Attachment[]>): Promise<void>;
  readAttachment(storyId: string, taskId: string, index: number): Promise<Attachment | null>;
  /** For a submission that was refused after its files were saved. */
  removeAttachments(storyId: string): Promise<void>;
  /** The bytes in a private file while `use` runs, gone afterwards. Throws `disk_full` where they find no room. */
  withIncoming<T>(body: Readable, use: (path: string) => Promise<T>): Promise<T>;
  /** Incoming files that a killed manager was in the middle of. */
  clearIncoming(): Promise<void>;
  /** Share of the file system that is free, 0 to 1. */
  freeSpace(): Promise<number>;
}
