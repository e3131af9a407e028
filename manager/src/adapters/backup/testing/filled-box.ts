import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import type { Store } from '../../../ports/store.ts';
import type { StoredRow, StoreSnapshot } from '../../../ports/store-snapshot.ts';
import { eventDraft } from '../../../ports/testing/store-ledger.testsuite.ts';
import {
  artifactRecord,
  projectRecord,
  releaseRecord,
  storyRecord,
  taskRecord,
} from '../../../ports/testing/store-records.ts';
import { createArtifactStore } from '../../artifacts-fs/artifact-files.ts';
import { createGitRepositories } from '../../repositories-git/index.ts';
import { scratchRepository } from '../../repositories-git/testing/scratch-repository.ts';
import { createWorkspaceFiles } from '../../workspace-fs/workspace-files.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** `st_` and the like with a number in it. */
export function madeId(prefix: string, n: number): string {
  let text = '';
  for (let left = n, at = 0; at < 10; at++, left = Math.floor(left / 32)) text = ALPHABET[left % 32] + text;
  return `${prefix}_${text}`;
}

/** A box with history, as its manager would have left it, and with more to come. */
export async function fillBox(t: TestContext, workspace: string, store: Store) {
  const repositories = createGitRepositories({ workspace });
  const artifacts = createArtifactStore({ workspace });
  const files = createWorkspaceFiles({ workspace });
  const scratch = scratchRepository(t);
  let n = 0;

  /** Every file first, then what names it, in one transaction: the order that the box itself keeps. */
  async function deliver(project: string): Promise<void> {
    n += 1;
    const [storyId, taskId] = [madeId('st', n), `task-${n}`];
    const root = await repositories.create(project);
    scratch.commit({ 'page.html': `page ${n}` }, null);
    const commit = await repositories.receive({
      ...{ project, bundlePath: scratch.bundle(), starts: [], taskId, attempt: 1 },
    });
    const body = Buffer.from(`artifact ${n}`.repeat(n));
    const sha256 = createHash('sha256').update(body).digest('hex');
    const artifact = { id: madeId('art', n), taskId, name: 'tests.log' };
    await artifacts.put({ ...artifact, body: Readable.from([body]), expectedSha256: sha256, maxBytes: 1e6 });
    await files.writeSpec(taskId, `id: ${taskId}\n`);
    await files.saveAttachments(
      storyId,
      new Map([[taskId, [{ attempt: 'attempt-1', kind: 'directory', files: [] }]]]),
    );
    await store.transact(async (tx) => {
      const known = await tx.projects.get(project);
      if (known === null) await tx.projects.insert(projectRecord({ name: project, mainCommit: root }));
      else await tx.projects.save({ ...known, mainCommit: commit });
      await tx.stories.insert(storyRecord({ id: storyId, project }));
      await tx.tasks.insert(taskRecord({ id: taskId, storyId, project, commit }));
      const release = { id: madeId('rel', n), project, commit, mainAfter: commit };
      await tx.releases.insert(releaseRecord({ ...release, status: 'superseded' }));
      await tx.artifacts.insert(artifactRecord({ ...artifact, sha256, sizeBytes: body.length }));
      await tx.events.append(
        eventDraft('story.delivered', { subject: `story/${storyId}`, data: { commit } }),
      );
      await tx.topology.bump();
    });
  }

  await deliver('blog');
  await deliver('shop');
  await deliver('gone');
  const gone = await store.read((reader) => reader.projects.get('gone'));
  await store.transact(async (tx) => {
    await tx.projects.save({ ...gone!, removedAt: '2026-01-02T00:00:00.000Z' });
  });
  await repositories.remove('gone', '2026-01-02T00-00-00-000Z');
  const data = join(workspace, 'data', 'blog', 'dev');
  await mkdir(join(data, 'uploads'), { recursive: true });
  await writeFile(join(data, 'uploads', 'ünï code\n.txt'), 'mine');
  await writeFile(join(data, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(join(data, 'large.bin'), Buffer.alloc(3_000_000, 'x'));
  const secrets = join(workspace, 'secrets');
  await mkdir(secrets, { recursive: true, mode: 0o700 });
  for (const name of ['admin.token', 'env.key', 'job.key', 'database.password']) {
    await writeFile(join(secrets, name), `${name} of ${workspace}\n`, { mode: 0o600 });
  }
  return { deliver, repositories };
}

/** Everything a snapshot shows, for comparisons. */
export async function tablesOf(snapshot: StoreSnapshot): Promise<Record<string, StoredRow[]>> {
  const tables: Record<string, StoredRow[]> = {};
  for (const table of snapshot.tables) {
    tables[table] = [];
    for await (const row of snapshot.rows(table)) tables[table].push(row);
  }
  return tables;
}
