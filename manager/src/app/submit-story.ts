import type { Answer, SubmitStory, TaskSpec } from '@dbox/contracts';
import { MAX_ATTACHMENT_BYTES, MAX_STORY_BYTES, ProblemError, SETTLED_TASK_STATUSES } from '@dbox/contracts';
import { writeTaskSpec } from '@dbox/spec-kit';
import { suffixIds } from '../domain/plan-graph.ts';
import type { StoryRecord } from '../ports/records.ts';
import type { StoreReader } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';
import { insertPlan } from './insert-plan.ts';
import { freeProjectName, insertProject, requireProjectName } from './project-steps.ts';
import type { PlannedDocuments } from './read-plan-documents.ts';
import { readPlanDocuments } from './read-plan-documents.ts';
import { saveMovedStory } from './story-steps.ts';

type Submitted = NonNullable<Answer<'submitStory'>>;

interface Submission {
  readonly story: SubmitStory;
  readonly idempotencyKey: string | undefined;
  readonly bodyHash: string;
  readonly actor: string;
}

interface Prepared extends Submission {
  readonly id: string;
  readonly plan: PlannedDocuments | null;
  readonly storyText: string;
  readonly wantedName: string;
}

const MAX_NAME_TRIES = 10;

/**
 * Takes a story in, durably, before it is acknowledged. With an idempotency key the same submission
 * is one story however often and however concurrently it is sent.
 */
export async function submitStory(context: AppContext, submission: Submission): Promise<Submitted> {
  const { story, idempotencyKey: key, bodyHash } = submission;
  if (key !== undefined && !/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new ProblemError(
      'invalid_request',
      'Idempotency-Key must be 1 to 200 printable ASCII characters without spaces',
    );
  }
  const earlier = await context.store.read((reader) => answerOf(reader, key, bodyHash));
  if (earlier) return earlier;

  const text = requireText(story);
  if (story.project !== undefined) requireProjectName(story.project);
  let plan = story.documents ? await readDocuments(context, story) : null;
  const storyText = text ?? plan!.specs.map((spec) => spec.title).join('; ');
  const wantedName = story.project ?? context.planner.nameOf(text ?? plan!.specs[0]!.title);

  const id = context.ids.next('st');
  if (plan) plan = await context.store.read((reader) => renameFinished(reader, plan!));
  try {
    if (plan) await context.files.saveAttachments(id, plan.attachments);
    return await insertUnderName(context, { ...submission, id, plan, storyText, wantedName });
  } catch (error) {
    await context.files.removeAttachments(id);
    throw error;
  }
}

/** With a name of the box's own choice another story may be quicker: then the next free one is taken. */
async function insertUnderName(context: AppContext, given: Prepared): Promise<Submitted> {
  const { story, idempotencyKey: key, bodyHash, actor, id, plan, storyText } = given;
  for (let tries = 1; ; tries++) {
    // The name is settled first: a repository without a project row is harmless and found again by its name.
    const name =
      story.project ?? (await context.store.read((reader) => freeProjectName(reader, given.wantedName)));
    const rootCommit = await context.repositories.create(name);
    const answer = await transact(context, async (tx) => {
      const again = await answerOf(tx, key, bodyHash);
      if (again) return { submitted: again, fresh: false };
      const existing = await tx.projects.get(name);
      if (existing && story.project === undefined && tries < MAX_NAME_TRIES) return null;
      if (existing && (existing.removedAt !== null || story.project === undefined)) {
        throw new ProblemError(
          'project_taken',
          existing.removedAt === null
            ? `the project name ${name} is taken; submit again, or choose a name with --project`
            : `the project ${name} was removed, and its name stays with its history; choose another with --project`,
        );
      }
      if (!existing)
        await insertProject(context, tx, { name, mainCommit: rootCommit, origin: 'story', actor });
      for (const spec of plan?.specs ?? []) await requireFreeId(tx, spec.id);
      const submitted: Submitted = {
        story: await insertStory(context, tx, {
          id,
          project: name,
          text: storyText,
          specs: plan?.specs ?? null,
          actor,
        }),
        project: { name, created: !existing },
      };
      if (key !== undefined) {
        await tx.idempotency.insert({
          key,
          bodyHash,
          answer: JSON.stringify(submitted),
          createdAt: now(context),
          version: 1,
        });
      }
      return { submitted, fresh: true };
    });
    if (!answer) continue;
    if (!answer.fresh) await context.files.removeAttachments(id);
    else if (plan) await writeSpecs(context, plan.specs);
    return answer.submitted;
  }
}

/** For people to read; the store holds the truth, so a failure here is only logged. */
export async function writeSpecs(context: AppContext, specs: readonly TaskSpec[]): Promise<void> {
  for (const spec of specs) {
    await context.files
      .writeSpec(spec.id, writeTaskSpec(spec))
      .catch((error: unknown) =>
        context.log('warn', `could not write the spec of ${spec.id}`, { error: String(error) }),
      );
  }
}

async function insertStory(
  context: AppContext,
  tx: Parameters<typeof insertPlan>[1],
  story: { id: string; project: string; text: string; specs: readonly TaskSpec[] | null; actor: string },
): Promise<Submitted['story']> {
  const at = now(context);
  let saved: StoryRecord = await tx.stories.insert({
    id: story.id,
    project: story.project,
    text: story.text,
    status: 'received',
    reason: null,
    taskIds: [],
    createdAt: at,
    updatedAt: at,
    planFrom: story.specs ? 'documents' : 'text',
    version: 1,
  });
  await record(context, tx, {
    actor: story.actor,
    type: 'story.received',
    subject: `story/${story.id}`,
    data: { project: story.project, text: story.text.slice(0, 2000) },
  });
  if (story.specs) {
    saved = await saveMovedStory(context, tx, saved, 'planning', story.actor);
    saved = await insertPlan(context, tx, saved, story.specs, story.actor);
  }
  const { version: _, planFrom: __, ...wire } = saved;
  return wire;
}

function requireText(story: SubmitStory): string | null {
  if ((story.text === undefined) === (story.documents === undefined)) {
    throw new ProblemError('invalid_request', 'send exactly one of `text` and `documents`');
  }
  if (story.text === undefined) return null;
  const text = story.text.trim();
  if (text === '') {
    throw new ProblemError(
      'story_empty',
      'the story is empty; say what should be built, e.g. "Develop and run a blog site"',
    );
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text)) {
    throw new ProblemError(
      'invalid_request',
      'the story holds control characters (a NUL or an escape, say); send it as plain text with line breaks and tabs alone',
    );
  }
  if (Buffer.byteLength(text) > MAX_STORY_BYTES) {
    throw new ProblemError(
      'story_too_large',
      `the story has ${Buffer.byteLength(text)} bytes, at most ${MAX_STORY_BYTES} are taken; shorten it, or put the details into task specs`,
    );
  }
  return text;
}

async function readDocuments(context: AppContext, story: SubmitStory): Promise<PlannedDocuments> {
  const documents = story.documents!;
  const encoded = documents.flatMap((document) => document.attachments.flatMap((one) => one.files));
  const bytes = encoded.reduce((sum, file) => sum + Math.floor((file.contentBase64.length * 3) / 4), 0);
  if (bytes > MAX_ATTACHMENT_BYTES) {
    throw new ProblemError(
      'payload_too_large',
      `the recorded attempts have ${bytes} bytes, at most ${MAX_ATTACHMENT_BYTES} are taken`,
    );
  }
  const known = await context.store.read(async (reader) =>
    story.project === undefined
      ? []
      : (await reader.tasks.listOfProject(story.project)).map((task) => task.id),
  );
  return readPlanDocuments(documents, { known, templates: await context.planner.templates() });
}

/** The same finished specs again are a new story with suffixed ids; any other clash is for the person to solve. */
async function renameFinished(reader: StoreReader, plan: PlannedDocuments): Promise<PlannedDocuments> {
  const taken = new Set<string>();
  let finishedAndSame = true;
  for (const spec of plan.specs) {
    const task = await reader.tasks.get(spec.id);
    if (!task) continue;
    taken.add(spec.id);
    const finished = SETTLED_TASK_STATUSES.includes(task.status) || task.integration === 'landed';
    finishedAndSame &&= finished && writeTaskSpec(task.spec) === writeTaskSpec(spec);
  }
  if (taken.size === 0 || !finishedAndSame) return plan;
  const ids = plan.specs.map((spec) => spec.id);
  for (let renamed = suffixIds(ids, taken); ; renamed = suffixIds(ids, taken)) {
    const clash = [];
    for (const id of renamed.values()) if (await reader.tasks.get(id)) clash.push(id);
    if (clash.length === 0) return rename(plan, renamed);
    for (const id of clash) taken.add(id);
  }
}

function rename(plan: PlannedDocuments, ids: ReadonlyMap<string, string>): PlannedDocuments {
  const nameOf = (id: string) => ids.get(id) ?? id;
  return {
    specs: plan.specs.map((spec) => ({
      ...spec,
      id: nameOf(spec.id),
      dependsOn: spec.dependsOn.map(nameOf),
      outputs: spec.outputs.map((output) => ({
        path: output.path.replace(`/workspace/tasks/${spec.id}/`, `/workspace/tasks/${nameOf(spec.id)}/`),
      })),
    })),
    attachments: new Map([...plan.attachments].map(([id, list]) => [nameOf(id), list])),
  };
}

async function requireFreeId(reader: StoreReader, id: string): Promise<void> {
  const task = await reader.tasks.get(id);
  if (!task) return;
  throw new ProblemError(
    'task_id_taken',
    `the task id ${id} is taken by a task of story ${task.storyId} (${task.status}); give the new task another id`,
  );
}

async function answerOf(
  reader: StoreReader,
  key: string | undefined,
  bodyHash: string,
): Promise<Submitted | null> {
  if (key === undefined) return null;
  const known = await reader.idempotency.get(key);
  if (!known) return null;
  if (known.bodyHash !== bodyHash) {
    throw new ProblemError(
      'idempotency_key_reused',
      'this Idempotency-Key was used for another submission; use a new key for a new story',
    );
  }
  return JSON.parse(known.answer) as Submitted;
}
