import type { JobContext } from '@dbox/agent-sdk';
import type { CodeResult, EngineName } from '@dbox/contracts';
import { createBaseTree } from './base-tree.ts';
import { commitAttempt } from './commit-attempt.ts';
import type { Engine, EngineFailure } from './engines/engine.ts';
import { isFailure } from './engines/engine.ts';

/** One attempt from check-out to confirmed commit. */
export async function writeCode(
  context: JobContext<'code'>,
  engines: readonly Engine[],
): Promise<CodeResult> {
  const { payload, job, signal } = context;
  const { startCommit, mainCommit, attempt, task } = payload;
  const failed = ({ cause, detail }: EngineFailure): CodeResult => {
    context.log('agent', `failed: ${detail}`);
    return { kind: 'code', outcome: 'failed', engine: payload.engine, cause, detail };
  };
  const engine = engines.find(({ name }) => name === payload.engine);
  if (engine === undefined) return failed({ cause: 'final', detail: unknownEngine(payload.engine, engines) });

  const tree = await context.checkOut();
  const base = createBaseTree({ tree, startCommit, mainCommit, signal });
  context.log('agent', `the ${engine.name} engine writes attempt ${attempt} of ${task.id}: ${task.title}`);
  const outcome = await engine.write({
    tree,
    base,
    payload,
    project: job.project ?? task.id,
    createdAt: job.createdAt,
    readAttachment: context.readAttachment,
    log: (text) => context.log('agent', text),
    signal,
  });
  if (isFailure(outcome)) return failed(outcome);
  const treeId = await base.writeChanges();
  if (treeId === null) return failed({ cause: 'commit', detail: 'the attempt changed nothing' });

  const commit = await commitAttempt({
    tree,
    treeId,
    taskId: task.id,
    title: task.title,
    attempt,
    startCommit,
    mainCommit: base.current === 'main' ? mainCommit : null,
    createdAt: job.createdAt,
    signal,
  });
  await context.uploadCommit(tree, startCommit);
  context.log('agent', `${outcome.summary} (${commit.slice(0, 12)})`);
  return { kind: 'code', outcome: 'succeeded', engine: engine.name, commit, summary: outcome.summary };
}

function unknownEngine(wanted: EngineName, engines: readonly Engine[]): string {
  return `this agent has no ${wanted} engine; it has: ${engines.map(({ name }) => name).join(', ')}`;
}
