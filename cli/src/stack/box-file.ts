import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `box.json`, as a box of one process writes it: where this workspace's box is found. */
export async function writeStackState(
  workspaceDir: string,
  state: { readonly mode: 'docker'; readonly name: string; readonly url: string; readonly version: string },
): Promise<void> {
  const draft = join(workspaceDir, `.box.json.${process.pid}`);
  await writeFile(draft, `${JSON.stringify(state, null, 2)}\n`);
  await rename(draft, join(workspaceDir, 'box.json'));
}

export async function removeStackState(workspaceDir: string): Promise<void> {
  await rm(join(workspaceDir, 'box.json'), { force: true });
}
