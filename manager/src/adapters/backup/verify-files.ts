import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ArchiveRefusedError, type Manifest } from '@dbox/archive';
import { isMissing } from '../durable-file.ts';
import { createRepositoryArchive } from '../repositories-git/index.ts';
import { kindOf } from './entry-paths.ts';
import type { StoreNames } from './names.ts';

/**
 * Whether all that the store names is there: every commit in its project's repository, every artifact.
 * What the box itself had no longer when the backup was made is told, anything else refused.
 */
export async function verifyFiles(given: {
  readonly workspace: string;
  readonly names: StoreNames;
  readonly manifest: Manifest;
  readonly gitPath: string;
}): Promise<string[]> {
  const { workspace, names, manifest } = given;
  const warnings: string[] = [];
  const knownCommits = new Set(manifest.missing.commits);
  const knownArtifacts = new Set(manifest.missing.artifacts);
  const repositories = createRepositoryArchive({ workspace, path: given.gitPath });
  for (const [project, commits] of names.commits) {
    let left = [...commits];
    for (const found of await repositories.find(project)) left = await repositories.missing(found, left);
    for (const commit of left) {
      if (!knownCommits.has(`${project} ${commit}`)) {
        throw new ArchiveRefusedError(
          `the archive lacks commit ${commit} of ${project}, which its ledger names`,
        );
      }
      warnings.push(`commit ${commit} of ${project} was missing already when the backup was made`);
    }
  }
  for (const { id, path, sha256 } of names.artifacts) {
    // Else a record could have any file of the machine read, or one that never ends.
    if (kindOf(path, 'file')?.kind !== 'file') {
      throw new ArchiveRefusedError(
        `the archive names an artifact that is none: ${JSON.stringify(path.slice(0, 200))}`,
      );
    }
    const found = await sha256Of(join(workspace, path));
    if (found === sha256) continue;
    if (found === null && !knownArtifacts.has(id)) {
      throw new ArchiveRefusedError(`the archive lacks artifact ${id}, which its ledger names`);
    }
    const why = found === null ? 'was missing' : 'had other bytes than its ledger says';
    warnings.push(`artifact ${id} ${why} already when the backup was made`);
  }
  return warnings;
}

async function sha256Of(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  return hash.digest('hex');
}
