import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `box.json`: where a running box is found. Written once it is ready, removed when it stops. */
export interface BoxFile {
  readonly pid: number;
  readonly url: string;
  readonly version: string;
  readonly mode: 'process';
  readonly startedAt: string;
  readonly gatewayPort: number;
}

export async function writeBoxFile(workspace: string, box: BoxFile): Promise<void> {
  const temporary = join(workspace, `.box.json.${process.pid}`);
  await writeFile(temporary, `${JSON.stringify(box, null, 2)}\n`);
  await rename(temporary, join(workspace, 'box.json'));
}

export async function removeBoxFile(workspace: string): Promise<void> {
  await rm(join(workspace, 'box.json'), { force: true });
}

/** Null where there is none; what it names may have been killed since. */
export async function readBoxFile(workspace: string): Promise<BoxFile | null> {
  try {
    return JSON.parse(await readFile(join(workspace, 'box.json'), 'utf8')) as BoxFile;
  } catch {
    return null;
  }
}
