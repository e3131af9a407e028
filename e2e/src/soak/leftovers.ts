import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Box } from '../box.ts';
import { findBoxProcesses } from './killer.ts';

/** The live one, five earlier ones that a rollback may ask for, and one on its way. */
const RELEASE_TREES = 7;

/** What a stopped box has left behind that it should not have: processes, sockets, half work. */
export async function findLeftovers(box: Box): Promise<string[]> {
  const { workspace } = box;
  const id = createHash('sha256').update(workspace).digest('hex').slice(0, 10);
  const findings: string[] = [];
  for (const pid of await findBoxProcesses(workspace)) findings.push(`process ${pid} of the box still runs`);
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const environ = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '');
    if (!environ.split('\0').some((entry) => entry.startsWith(`DBOX_MARKER=dbox-${id}`))) continue;
    const command = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
    findings.push(`process ${name} still runs: ${command.slice(0, 120)}`);
  }
  const runtimeDir = join(process.env.XDG_RUNTIME_DIR ?? '/tmp', `dbox-${id}`);
  for (const path of await list(runtimeDir)) findings.push(`left in ${runtimeDir}: ${path}`);
  for (const path of await list(join(workspace, 'incoming'))) findings.push(`left in incoming/: ${path}`);
  for (const kind of await list(join(workspace, 'agents'))) {
    for (const path of await list(join(workspace, 'agents', kind, 'jobs')))
      findings.push(`left of a job of the ${kind} agent: ${path}`);
  }
  for (const path of await list(join(workspace, 'projects')))
    for (const name of await list(join(workspace, 'projects', path)))
      if (/lock$|^incoming|quarantine|tmp_/.test(name)) findings.push(`left in projects/${path}: ${name}`);
  if ((await list(workspace)).includes('box.json')) findings.push('box.json is still there');
  return findings;
}

/** More release trees than are kept for rollbacks. */
export async function findSurplusTrees(box: Box, projectCount: number): Promise<string[]> {
  const trees = await list(join(box.workspace, 'agents', 'deployment', 'releases'));
  const most = projectCount * RELEASE_TREES;
  return trees.length > most ? [`${trees.length} release trees are kept, ${most} would be the most`] : [];
}

const list = (directory: string) => readdir(directory).catch(() => [] as string[]);
