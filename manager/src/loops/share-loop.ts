import type { AppContext } from '../app/context.ts';

/**
 * Keeps what people read on the share in step with the store: each repository's `main` and each
 * task's `src/`. It may lag behind, and is brought up at the start after a kill.
 */
export class ShareProjection {
  private readonly context: AppContext;
  private readonly mains = new Map<string, string>();
  private readonly sources = new Map<string, string>();

  constructor(context: AppContext) {
    this.context = context;
  }

  async tick(): Promise<void> {
    const { repositories, store } = this.context;
    const { projects, tasks } = await store.read(async (reader) => ({
      projects: await reader.projects.list(),
      tasks: await reader.tasks.list({ limit: 200 }),
    }));
    const present = new Set(projects.map((project) => project.name));
    for (const { name, mainCommit } of projects) {
      if (mainCommit === null || this.mains.get(name) === mainCommit) continue;
      await this.project(`main of ${name}`, async () => {
        await repositories.setMain(name, mainCommit);
        this.mains.set(name, mainCommit);
      });
    }
    for (const { id, project, commit } of tasks) {
      if (commit === null || this.sources.get(id) === commit || !present.has(project)) continue;
      await this.project(`src of ${id}`, async () => {
        await repositories.layOut({ project, commit, taskId: id });
        this.sources.set(id, commit);
      });
    }
  }

  /** What cannot be laid out, for want of space say, keeps nothing else back. */
  private async project(what: string, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.context.log('warn', `${what} could not be laid out on the share`, { error: String(error) });
    }
  }
}
