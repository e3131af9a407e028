/**
 * Run as a program of its own: the whole path of an attempt, so that a test can kill it in the middle.
 * Arguments: workspace, git program, and the steps as JSON.
 */
import { createGitRepositories } from '../git-repositories.ts';

export interface Steps {
  readonly project: string;
  readonly main: string;
  readonly bundlePath: string;
  readonly taskId: string;
}

export async function takeSteps(workspace: string, git: string, steps: Steps) {
  const repositories = createGitRepositories({ workspace, git });
  const { project, main, bundlePath, taskId } = steps;
  const root = await repositories.create(project);
  const attempt = await repositories.receive({ project, bundlePath, starts: [root], taskId, attempt: 1 });
  const merged = await repositories.merge({ project, main, attempt, message: `${taskId}: merge` });
  if (merged.outcome !== 'merged') throw new Error('a conflict was not expected');
  await repositories.setMain(project, merged.commit);
  await repositories.layOut({ project, commit: merged.commit, taskId });
  return { attempt, merged: merged.commit, main: await repositories.readMain(project) };
}

if (import.meta.main) {
  const [workspace, git, steps] = process.argv.slice(2);
  await takeSteps(workspace!, git!, JSON.parse(steps!) as Steps);
}
