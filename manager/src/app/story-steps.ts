import { moveStory } from '../domain/lifecycles.ts';
import { rollUpStory } from '../domain/story-rollup.ts';
import type { StoryRecord, TaskRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { now, record } from './context.ts';

export async function saveMovedStory(
  context: AppContext,
  tx: StoreTransaction,
  story: StoryRecord,
  to: StoryRecord['status'],
  actor: string,
): Promise<StoryRecord> {
  const saved = await tx.stories.save({ ...moveStory(story, to), updatedAt: now(context) });
  await record(context, tx, {
    actor,
    type: `story.${to}`,
    subject: `story/${story.id}`,
    data: { project: story.project, ...(story.reason ? { reason: story.reason } : {}) },
  });
  return saved;
}

export function isLanded(task: TaskRecord): boolean {
  return task.integration === 'landed' && task.status !== 'rolled_back';
}

/** A story is what its tasks have come to. */
export async function rollUp(
  context: AppContext,
  tx: StoreTransaction,
  storyId: string,
  actor: string,
): Promise<void> {
  const story = await tx.stories.get(storyId);
  if (!story || story.status === 'received' || story.status === 'planning') return;
  const tasks = await tx.tasks.listOfStory(storyId);
  const next = rollUpStory(
    // What was rolled back had been delivered; taking it back is an act of its own, told by its task.
    tasks.map((task) => ({
      id: task.id,
      status: task.status,
      landed: task.integration === 'landed',
      reason: task.reason,
    })),
  );
  if (next.status === story.status) return;
  const running =
    story.status === 'running'
      ? story
      : await saveMovedStory(context, tx, { ...story, reason: null }, 'running', actor);
  if (next.status !== 'running')
    await saveMovedStory(context, tx, { ...running, reason: next.reason }, next.status, actor);
}
