import type { TaskSpec } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import type { ProjectRecord, StoryRecord } from '../ports/records.ts';
import type { AppContext } from './context.ts';
import { transact } from './context.ts';
import { insertPlan } from './insert-plan.ts';
import { saveMovedStory } from './story-steps.ts';
import { writeSpecs } from './submit-story.ts';
import { loadProject } from './task-steps.ts';

/** Turns a received story into tasks. May be repeated after a crash: the same story gives the same plan. */
export async function planStory(context: AppContext, storyId: string): Promise<void> {
  const story = await transact(context, async (tx) => {
    const found = await tx.stories.get(storyId);
    if (found?.status === 'received') return saveMovedStory(context, tx, found, 'planning', 'system');
    return found?.status === 'planning' ? found : null;
  });
  if (!story) return;
  const { project, taken } = await context.store.read(async (reader) => ({
    project: await loadProject(reader, story.project),
    taken: new Set((await reader.tasks.listOfProject(story.project)).map((task) => task.id)),
  }));
  let specs: readonly TaskSpec[] | null = null;
  let problem: string | null = null;
  try {
    specs = await planAroundTakenIds(context, story, project, taken);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    problem = error.message;
  }

  const planned = await transact(context, async (tx) => {
    const present = await tx.stories.get(storyId);
    if (present?.status !== 'planning') return false;
    if (specs) {
      for (const spec of specs) {
        if (await tx.tasks.get(spec.id))
          problem = `the planned task id ${spec.id} is taken by another project's task`;
      }
    }
    if (problem !== null || !specs) {
      await saveMovedStory(context, tx, { ...present, reason: problem ?? 'no plan' }, 'failed', 'system');
      return false;
    }
    await insertPlan(context, tx, present, specs, 'system');
    return true;
  });
  if (planned && specs) await writeSpecs(context, specs);
}

/** Ids are unique in the box, and only the store knows them all: plan, look, and plan again around what is taken. */
async function planAroundTakenIds(
  context: AppContext,
  story: StoryRecord,
  project: ProjectRecord,
  taken: Set<string>,
): Promise<readonly TaskSpec[]> {
  const commit = project.mainCommit;
  const files =
    commit === null ? [] : await context.repositories.listFiles({ project: project.name, commit });
  for (;;) {
    const specs = await context.planner.plan({
      storyText: story.text,
      project: project.name,
      mainCommit: files.length === 0 ? null : commit,
      files,
      readFile: (path) => context.repositories.readFile({ project: project.name, commit: commit!, path }),
      takenTaskIds: taken,
    });
    const clashes = await context.store.read(async (reader) => {
      const found: string[] = [];
      for (const spec of specs) if (await reader.tasks.get(spec.id)) found.push(spec.id);
      return found;
    });
    if (clashes.length === 0) return specs;
    for (const id of clashes) taken.add(id);
  }
}
