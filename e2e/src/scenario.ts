import type { StatusReport, StoryReport, TaskDetail } from '@dbox/contracts';
import type { Box } from './box.ts';
import type { RecordedTask } from './recorded-task.ts';
import { recordTasks } from './recorded-task.ts';

export interface Scenario {
  /** A sentence of behaviour. */
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  run(box: Box): Promise<void>;
}

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
