import type { TaskSpec } from '@dbox/contracts';
import { compileChecks } from '@dbox/spec-kit';
import type { StoryRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { now, record } from './context.ts';
import { ensureEnvironment } from './project-steps.ts';
import { saveMovedStory } from './story-steps.ts';

/** Writes a validated plan: its tasks, their checks, and the story that now runs. */
export async function insertPlan(
  context: AppContext,
  tx: StoreTransaction,
  story: StoryRecord,
  specs: readonly TaskSpec[],
  actor: string,
): Promise<StoryRecord> {
  const at = now(context);
  for (const spec of specs) {
    await ensureEnvironment(context, tx, { project: story.project, name: spec.environment });
    await tx.tasks.insert({
      id: spec.id,
      storyId: story.id,
      project: story.project,
      title: spec.title,
      status: 'created',
      reason: null,
      resumesTo: null,
      dependsOn: spec.dependsOn,
      attemptCount: 0,
      commit: null,
      engine: null,
      createdAt: at,
      updatedAt: at,
      spec,
      storyText: story.text,
      attempts: [],
      releaseIds: [],
      attemptLimit: spec.constraints.maxAttempts,
      startCommit: null,
      evidenceReason: null,
      integration: 'none',
      integrationOrder: null,
      candidateCommit: null,
      hostRepeats: 0,
      version: 1,
    });
    await record(context, tx, {
      actor,
      type: 'task.created',
      subject: `task/${spec.id}`,
      data: { story: story.id, project: story.project, title: spec.title, dependsOn: [...spec.dependsOn] },
    });
    for (const check of compileChecks({ project: story.project, spec })) {
      const known = await tx.checks.get({ project: story.project, id: check.id });
      if (!known) await tx.checks.insert({ ...check, version: 1 });
      else if (known.status === 'retired')
        await tx.checks.save({ ...known, status: 'proposed', taskId: spec.id });
    }
  }
  const planned = { ...story, taskIds: specs.map((spec) => spec.id) };
  await record(context, tx, {
    actor,
    type: 'plan.made',
    subject: `story/${story.id}`,
    data: { tasks: planned.taskIds, from: story.planFrom },
  });
  return saveMovedStory(context, tx, planned, 'running', actor);
}
