import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobContext } from '@dbox/agent-sdk';
import type { CommandOutcome, Sandbox } from '@dbox/sandbox';
import { type CollectedArtifact, collectArtifacts } from './artifacts.ts';
import { limitsFor } from './limits.ts';
import { toPlainText } from './plain-text.ts';
import type { WorkingTree } from './working-tree.ts';

export interface EntryRunner {
  /** Runs one command in a tree reset to the commit. Null: the job's time is used up. */
  run(command: string): Promise<CommandOutcome | null>;
  /** What the entries so far left at the payload's artifact paths; the newest of each name. */
  artifacts(): readonly CollectedArtifact[];
}

/**
 * Runs the entries of a job one after another. Each begins with the commit's own files and an empty
 * DATA_DIR; only installed dependencies stay, so none can change what the next one is.
 */
export function openEntryRunner(o: {
  readonly context: JobContext<'test'>;
  readonly sandbox: Sandbox;
  readonly workingTree: WorkingTree;
  /** By the same clock as `nowMs`. */
  readonly deadlineMs: number;
  readonly nowMs: () => number;
}): EntryRunner {
  const { context, sandbox, workingTree } = o;
  const { payload, scratchDir, signal } = context;
  const kept = new Map<string, CollectedArtifact>();
  let count = 0;

  async function keepArtifacts(): Promise<void> {
    if (payload.artifacts.length === 0) return;
    const { artifacts, refusals } = await collectArtifacts({
      tree: workingTree.path,
      paths: payload.artifacts,
      into: join(scratchDir, 'artifacts', String(count)),
    });
    for (const artifact of artifacts) kept.set(artifact.name, artifact);
    for (const refusal of refusals) context.log('agent', `artifact refused: ${refusal}`);
  }

  return {
    artifacts: () => [...kept.values()],
    async run(command) {
      signal.throwIfAborted();
      if (count > 0) await workingTree.reset();
      const timeoutMs = Math.floor(o.deadlineMs - o.nowMs());
      if (timeoutMs <= 0) return null;
      count += 1;
      const data = { host: join(scratchDir, 'data', String(count)), inside: '/data' };
      await mkdir(data.host, { recursive: true });
      context.log('agent', `$ ${command}`);
      const ended = await sandbox.run({
        run: command,
        tree: workingTree.path,
        writable: [data],
        readable: [workingTree.history],
        env: {
          CI: 'true',
          NO_COLOR: '1',
          DATA_DIR: sandbox.pathOf(data),
          ...(payload.devUrl === null ? {} : { DBOX_URL: payload.devUrl }),
        },
        network: payload.network,
        limits: limitsFor({ entryCount: payload.tests.length + payload.checks.length, timeoutMs }),
        onLine: (stream, line) => context.log(stream, toPlainText(line)),
        signal,
      });
      signal.throwIfAborted();
      context.log('agent', ended.detail);
      await keepArtifacts();
      return ended;
    },
  };
}
