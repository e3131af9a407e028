import { constants, createReadStream } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ArchivePart, FORMAT, type Manifest, writeArchive } from '@dbox/archive';
import type { StoreSnapshot } from '../../ports/store-snapshot.ts';
import { isMissing } from '../durable-file.ts';
import type { RepositoryArchive } from '../repositories-git/index.ts';
import { filePart, type Skipped, treeParts } from './data-parts.ts';
import { bundlePath, rowsPath } from './entry-paths.ts';
import { StoreNames } from './names.ts';
import { LEFT_OUT_SECRETS } from './workspace-state.ts';

/** Large enough that few entries are needed, small enough to be held. */
const ROWS_PAGE_BYTES = 1024 * 1024;

export interface BackupSource {
  readonly workspace: string;
  readonly snapshot: StoreSnapshot;
  readonly repositories: RepositoryArchive;
  readonly boxVersion: string;
  readonly createdAt: string;
  /** Whether the sites' data lies in the workspace: with containers it lies in their volumes. */
  readonly data: Manifest['data'];
}

/**
 * The archive of a box, a chunk at a time. All of it is of the snapshot's moment: what the snapshot
 * names is written before the store names it and is not changed afterwards, so it is still there as
 * long as nothing is pruned, which is the caller's part. A repository is looked for once more where a
 * person removes its project meanwhile.
 */
export function writeBackup(source: BackupSource): AsyncGenerator<Buffer> {
  const { snapshot } = source;
  const names = new StoreNames();
  const tables: Record<string, number> = {};
  const missing = { commits: [] as string[], artifacts: [] as string[] };
  const skipped: Skipped[] = [];
  const counts = { repositories: 0, artifacts: 0 };

  async function* parts(): AsyncGenerator<ArchivePart> {
    yield* storeParts(snapshot, (table, row) => {
      tables[table] = (tables[table] ?? 0) + 1;
      names.note(table, row);
    });
    // The rest is told by names: a copy of the store is not kept for hours because a reader is slow.
    await snapshot.close();
    for (const [project, commits] of names.commits) {
      for await (const part of repositoryParts(source, names, project, [...commits], missing.commits)) {
        counts.repositories += 1;
        yield part;
      }
    }
    for (const { id, path } of names.artifacts) {
      const part = await workspaceFile(source.workspace, path);
      if (part === null) missing.artifacts.push(id);
      else yield part;
      counts.artifacts += part === null ? 0 : 1;
    }
    yield* smallFiles(source.workspace, names);
    if (source.data === 'included') yield* treeParts(join(source.workspace, 'data'), 'data', skipped);
  }

  return writeArchive({
    opening: {
      format: FORMAT,
      boxVersion: source.boxVersion,
      createdAt: source.createdAt,
      store: snapshot.kind,
      schema: [...snapshot.schema],
      ledger: snapshot.head,
    },
    parts: parts(),
    close: () => ({
      counts: { tables, ...counts },
      data: source.data,
      missing,
      skipped: skipped.slice(0, 1000),
    }),
  });
}

async function* storeParts(
  snapshot: StoreSnapshot,
  note: (table: string, row: Parameters<StoreNames['note']>[1]) => void,
): AsyncGenerator<ArchivePart> {
  for (const table of snapshot.tables) {
    let [page, lines, bytes] = [1, [] as string[], 0];
    const take = (): ArchivePart => {
      const body = Buffer.from(lines.join(''));
      [lines, bytes] = [[], 0];
      return { name: rowsPath(table, page++), sizeBytes: body.length, body: [body] };
    };
    for await (const row of snapshot.rows(table)) {
      note(table, row);
      const line = `${JSON.stringify(row)}\n`;
      lines.push(line);
      bytes += line.length;
      if (bytes >= ROWS_PAGE_BYTES) yield take();
    }
    if (lines.length > 0) yield take();
  }
}

async function* repositoryParts(
  { repositories }: BackupSource,
  names: StoreNames,
  project: string,
  commits: readonly string[],
  missing: string[],
): AsyncGenerator<ArchivePart> {
  let left: readonly string[] = commits;
  const done = new Set<string>();
  for (let tries = 1; ; tries++) {
    const found = await repositories.find(project);
    // One that was put aside after the snapshot belongs to a project that the snapshot still has.
    const wanted = names.removedProjects.has(project) ? found : found.slice(0, 1);
    try {
      for (const one of wanted) {
        if (done.has(one.place)) continue;
        const { bundle, missing: absent } = await repositories.bundle(one, left);
        done.add(one.place);
        left = absent;
        if (bundle === null) continue;
        const place = names.removedProjects.has(project) ? one.place : `projects/${project}`;
        try {
          yield {
            name: bundlePath(place),
            sizeBytes: bundle.sizeBytes,
            body: createReadStream(bundle.path),
          };
        } finally {
          await bundle.dispose();
        }
      }
      break;
    } catch (error) {
      const moved = (await repositories.find(project)).some((one, n) => one.place !== found[n]?.place);
      if (!moved || tries === 3) throw error;
    }
  }
  missing.push(...left.map((commit) => `${project} ${commit}`));
}

/** Specs and recorded attempts of what the snapshot knows, and the secrets. */
async function* smallFiles(workspace: string, names: StoreNames): AsyncGenerator<ArchivePart> {
  const optional = async function* (path: string) {
    const part = await workspaceFile(workspace, path);
    if (part !== null) yield part;
  };
  for (const id of names.taskIds) yield* optional(`tasks/${id}/spec.yaml`);
  for (const id of names.storyIds) {
    const attachments = `stories/${id}/attachments`;
    for (const task of await namesIn(join(workspace, attachments))) {
      for (const file of await namesIn(join(workspace, attachments, task))) {
        if (/^\d{1,6}\.json$/.test(file)) yield* optional(`${attachments}/${task}/${file}`);
      }
    }
  }
  for (const file of await namesIn(join(workspace, 'secrets'))) {
    const isSecret = /^[a-z0-9][a-z0-9.-]{0,60}$/.test(file) && !LEFT_OUT_SECRETS.has(file);
    if (isSecret) yield* optional(`secrets/${file}`);
  }
}

async function workspaceFile(workspace: string, path: string): Promise<ArchivePart | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(join(workspace, path), flags).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (handle === null) return null;
  return filePart(handle, path, () => {
    throw new Error(`${path} became shorter while it was copied`);
  });
}

async function namesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return names.sort();
}
