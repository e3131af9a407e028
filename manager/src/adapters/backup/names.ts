import { MADE_ID_PATTERN, PROJECT_NAME_PATTERN, TASK_ID_PATTERN } from '@dbox/contracts';
import type { StoredRow } from '../../ports/store-snapshot.ts';

interface NamedArtifact {
  readonly id: string;
  readonly sha256: string;
  /** In the workspace and in the archive alike. */
  readonly path: string;
}

/** All that a store names and that lies outside of it. */
export class StoreNames {
  /** Commits by project. */
  readonly commits = new Map<string, Set<string>>();
  readonly removedProjects = new Set<string>();
  readonly artifacts: NamedArtifact[] = [];
  readonly storyIds: string[] = [];
  readonly taskIds: string[] = [];

  note(table: string, row: StoredRow): void {
    if (!NOTED.has(table)) return;
    const doc = JSON.parse(String(row.doc)) as Record<string, unknown>;
    const { project } = doc;
    switch (table) {
      case 'projects':
        if (!isMatch(PROJECT_NAME_PATTERN, doc.name)) return;
        this.#commit(doc.name, doc.mainCommit);
        if (doc.removedAt !== null) this.removedProjects.add(doc.name);
        return;
      case 'releases':
        this.#commit(project, doc.commit);
        this.#commit(project, doc.mainAfter);
        return;
      case 'tasks':
        this.#commit(project, doc.commit);
        if (isMatch(TASK_ID_PATTERN, doc.id)) this.taskIds.push(doc.id);
        return;
      case 'stories':
        if (isMatch(MADE_ID_PATTERN, doc.id)) this.storyIds.push(doc.id);
        return;
      case 'artifacts':
        this.artifacts.push({ id: String(doc.id), sha256: String(doc.sha256), path: pathOf(doc) });
    }
  }

  #commit(project: unknown, commit: unknown): void {
    if (!isMatch(PROJECT_NAME_PATTERN, project)) return;
    const known = this.commits.get(project) ?? new Set();
    this.commits.set(project, known);
    if (isMatch(/^[0-9a-f]{40}$/, commit)) known.add(commit);
  }
}

const NOTED = new Set(['projects', 'releases', 'tasks', 'stories', 'artifacts']);

function isMatch(pattern: RegExp, value: unknown): value is string {
  return typeof value === 'string' && pattern.test(value);
}

/** As the artifact store lays them out. */
function pathOf(doc: Record<string, unknown>): string {
  const file = `${doc.id}-${doc.name}`;
  return doc.taskId === null ? `artifacts/${file}` : `tasks/${doc.taskId}/artifacts/${file}`;
}
