import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, rmdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Attachment, MADE_ID_PATTERN, ProblemError, TASK_ID_PATTERN } from '@dbox/contracts';
import type { WorkspaceFiles } from '../../ports/workspace-files.ts';
import { isDiskFull, isMissing, makeDirectory, syncDirectory, writeWhole } from '../durable-file.ts';

/** The files on the share: `tasks/<taskId>/spec.yaml` and `stories/<storyId>/attachments/<taskId>/<index>.json`. */
export function createWorkspaceFiles(options: { readonly workspace: string }): WorkspaceFiles {
  const { workspace } = options;
  const storyDirectory = (storyId: string) =>
    join(workspace, 'stories', segment(storyId, MADE_ID_PATTERN, 'story id'));
  const incoming = join(workspace, 'incoming');
  const attachments = (storyId: string) => join(storyDirectory(storyId), 'attachments');
  const ofTask = (storyId: string, taskId: string) =>
    join(attachments(storyId), segment(taskId, TASK_ID_PATTERN, 'task id'));

  return {
    async writeSpec(taskId, yaml) {
      const directory = join(workspace, 'tasks', segment(taskId, TASK_ID_PATTERN, 'task id'));
      await writeWhole(join(directory, 'spec.yaml'), yaml, { durable: false });
    },

    async saveAttachments(storyId, byTask) {
      try {
        for (const [taskId, list] of byTask) {
          const directory = ofTask(storyId, taskId);
          await makeDirectory(directory);
          for (const [index, attachment] of list.entries()) {
            await writeWhole(join(directory, `${index}.json`), JSON.stringify(attachment), { durable: true });
          }
          await removeBeyond(directory, list.length);
        }
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        const detail =
          'The disk is full, so the files of the story were not kept. Free some space, then send it again.';
        throw new ProblemError('disk_full', detail, { cause: error });
      }
    },

    async readAttachment(storyId, taskId, index) {
      if (!Number.isSafeInteger(index) || index < 0) return null;
      try {
        return JSON.parse(
          await readFile(join(ofTask(storyId, taskId), `${index}.json`), 'utf8'),
        ) as Attachment;
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },

    async removeAttachments(storyId) {
      await rm(attachments(storyId), { recursive: true, force: true });
      // Whatever else lies in the story's directory stays, and keeps the directory.
      await rmdir(storyDirectory(storyId)).catch(() => undefined);
    },

    async withIncoming(body, use) {
      await mkdir(incoming, { recursive: true, mode: 0o700 });
      const path = join(incoming, `${randomUUID()}.bundle`);
      try {
        await pipeline(body, createWriteStream(path, { flags: 'wx', mode: 0o600 })).catch(refuseFullDisk);
        return await use(path);
      } finally {
        await rm(path, { force: true });
      }
    },

    async clearIncoming() {
      await rm(incoming, { recursive: true, force: true });
    },

    async freeSpace() {
      const { bavail, blocks } = await statfs(workspace);
      return blocks === 0 ? 1 : bavail / blocks;
    },
  };
}

function refuseFullDisk(error: unknown): never {
  if (!isDiskFull(error)) throw error;
  const detail = 'The disk is full, so what was sent was not kept. Free some space, then send it again.';
  throw new ProblemError('disk_full', detail, { cause: error });
}

/** What a longer list left behind in an earlier try of the same call. */
async function removeBeyond(directory: string, count: number): Promise<void> {
  const names = await readdir(directory);
  const stale = names.filter((name) => !/^\d+\.json$/.test(name) || Number.parseInt(name, 10) >= count);
  for (const name of stale) await rm(join(directory, name), { force: true });
  if (stale.length > 0) await syncDirectory(directory);
}

/** Ids come from the store, which checked them; checked again, since here they become part of a path. */
function segment(id: string, pattern: RegExp, what: string): string {
  if (!pattern.test(id)) throw new Error(`refused as part of a path: ${what} ${JSON.stringify(id)}`);
  return id;
}
