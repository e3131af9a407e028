import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readBoxState } from '../box-state.ts';
import type { CommandContext, CommandResult } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';

/** Of this program; with `-v` or `--json` also of Node and of the running box. */
export async function version({ config, output }: CommandContext): CommandResult {
  const text = await readFile(join(config.checkoutDir, 'package.json'), 'utf8');
  const own = (JSON.parse(text) as { version: string }).version;
  const box = config.host === null ? await readBoxState(config.workspaceDir) : null;
  output.answer(`dbox ${own}`);
  output.detail(`node ${process.version}`);
  if (box) output.detail(`box ${box.version} at ${box.url}`);
  output.answerJson({ dbox: own, node: process.version, box: box?.version ?? null });
  return EXIT.ok;
}
