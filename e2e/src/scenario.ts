import type { StatusReport, StoryReport, TaskDetail } from '@dbox/contracts';
import type { Box, Mode } from './box.ts';
import type { RecordedTask } from './recorded-task.ts';
import { recordTasks } from './recorded-task.ts';
import type { Stack } from './stack.ts';

export interface Scenario {
  /** A sentence of behaviour. */
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Which kinds of box it is about; a box of one process where nothing is said. */
  readonly modes?: readonly Mode[];
  /**
   * In containers: scenarios that name the same stack run on it one after the other. Where nothing is said
   * it is `SHARED`, which several use at once: those leave all but their own projects alone.
   */
  readonly stack?: string;
  run(box: Box): Promise<void>;
}

export const SHARED = 'shared';
export const BOTH: readonly Mode[] = ['process', 'docker'];
export const DOCKER: readonly Mode[] = ['docker'];

/** Thrown where this machine cannot show what the scenario is about. */
export class Skipped extends Error {
  override readonly name = 'Skipped';
}

export function skip(reason: string): never {
  throw new Skipped(reason);
}

/** Submits recorded tasks and waits until their story has settled, with this exit code. */
export async function deliver(
  box: Box,
  project: string,
  tasks: readonly RecordedTask[],
  code = 0,
): Promise<StoryReport> {
  const file = await recordTasks(box.directory, tasks);
  return box.json<StoryReport>(['story', '-f', file, '--project', project, '--follow'], code);
}

export async function showTask(box: Box, id: string): Promise<TaskDetail> {
  return box.json<TaskDetail>(['show', id]);
}

export async function status(box: Box): Promise<StatusReport> {
  return box.json<StatusReport>(['status']);
}

export async function devOf(box: Box, project: string) {
  const found = (await status(box)).projects.find((one) => one.name === project)?.environments[0];
  if (!found) throw new Error(`no project ${project}`);
  return found;
}

export function stackOf(box: Box): Stack {
  if (box.stack === null) throw new Error('this scenario is about a box of containers');
  return box.stack;
}
