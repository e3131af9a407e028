import { z } from 'zod';
import { Instant, MadeId, ProjectName, TaskId } from './names.ts';
import { STORY_STATUSES } from './statuses.ts';

export const Story = z.object({
  id: MadeId,
  project: ProjectName,
  /** What the person asked for, in their words; for a spec file, the titles of its tasks. */
  text: z.string(),
  status: z.enum(STORY_STATUSES),
  /** Why it is `blocked` or `failed`, and what to do next; else null. */
  reason: z.string().nullable(),
  taskIds: z.array(TaskId),
  createdAt: Instant,
  updatedAt: Instant,
});

/** A file of a recorded attempt, sent along with a `scripted` story. */
export const AttachedFile = z.object({
  path: z.string(),
  contentBase64: z.string(),
  executable: z.boolean(),
});
/** One entry of a spec's `attempts:`, under the very words the spec uses. A patch is one file. */
export const Attachment = z.object({
  attempt: z.string(),
  kind: z.enum(['directory', 'patch']),
  files: z.array(AttachedFile),
});
/** A document with one or more task specs, as the person wrote it. `file` is for messages only. */
export const SpecDocument = z.object({
  file: z.string(),
  yaml: z.string(),
  attachments: z.array(Attachment),
});

export const SubmitStory = z
  .object({
    /** Exactly one of `text` and `documents`. */
    text: z.string().optional(),
    documents: z.array(SpecDocument).min(1).optional(),
    /** Go on with this project, or make it. Without it a new one is named after the story. */
    project: ProjectName.optional(),
  })
  .strict();

export type Story = z.infer<typeof Story>;
export type Attachment = z.infer<typeof Attachment>;
export type AttachedFile = z.infer<typeof AttachedFile>;
export type SpecDocument = z.infer<typeof SpecDocument>;
export type SubmitStory = z.infer<typeof SubmitStory>;

/** A story longer than this is refused (a page of text is about 3 KB). */
export const MAX_STORY_BYTES = 64 * 1024;
/** All attachments of one submission together, before base64. */
export const MAX_ATTACHMENT_BYTES = 32 * 1024 * 1024;
