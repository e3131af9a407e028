import type { TaskSpec } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import type { ProjectRecord, StoryRecord } from '../ports/records.ts';
import type { AppContext } from './context.ts';
import { transact } from './context.ts';
import { insertPlan } from './insert-plan.ts';
import { takeStep } from './step-guard.ts';
import { saveMovedStory } from './story-steps.ts';
import { writeSpecs } from './submit-story.ts';
import { loadProject } from './task-steps.ts';

/** A planner that finds no free ids in so many tries does not look at what is taken. */
const MAX_PLANS = 20;

/** Plans every story that waits for it. Returns how many stories moved. */
export async function planStories(context: AppContext): Promise<number> {
  const moving = await context.store.read((reader) => reader.stories.listMoving());
  let planned = 0;
  for (const { id, status } of moving) {
    if (status !== 'received' && status !== 'planning') continue;
    const guard = {
      subject: `planning/${id}`,
      doing: 'planning',
      giveUp: (reason: string) => failPlanning(context, id, `${reason}; \`dbox retry ${id}\` tries again`),
    };
    planned += await takeStep(context, guard, async () => {
      await planStory(context, id);
      return 1;
    });
  }
  return planned;
}

async function failPlanning(context: AppContext, storyId: string, reason: string): Promise<void> {
  await transact(context, async (tx) => {
    const story = await tx.stories.get(storyId);
    if (story?.status === 'planning')
      await saveMovedStory(context, tx, { ...story, reason }, 'failed', 'system');
  });
}

/** Turns a received story into tasks. May be repeated after a crash: the same story gives the same plan. */
async function planStory(context: AppContext, storyId: string): Promise<void> {
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
    if (specs.length === 0)
      problem = 'the planner made no task of this story; say more about what should be built';
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
  for (let plans = 1; plans <= MAX_PLANS; plans++) {
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
  throw new Error(`no plan with free task ids in ${MAX_PLANS} tries`);
}
