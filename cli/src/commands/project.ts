import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { CommandContext, CommandResult } from '../command-context.ts';
import { askYesNo } from '../confirmation.ts';
import { EXIT } from '../exit-codes.ts';
import { CliError } from '../failure.ts';
import { bundleProject } from '../project-bundle.ts';
import { short } from '../renderings.ts';

/** What the box takes; larger histories are told of before they are sent. */
const MAX_BUNDLE_BYTES = 256 * 1024 * 1024;

export async function addProject(
  context: CommandContext,
  given: { readonly name: string; readonly from: string | null },
): CommandResult {
  const { box, output, config } = context;
  const params = { project: given.name };
  if (given.from === null) {
    const project = await box.call('addProject', { params });
    output.note(
      `Project ${project.name} is made; it is empty. Give it a story: ./dbox story --project ${project.name} "…"`,
    );
    output.answerJson(project);
    return EXIT.ok;
  }
  const tempDir = await mkdtemp(join(tmpdir(), 'dbox-add-'));
  try {
    output.note(`Reading ${given.from} …`);
    const bundle = await bundleProject({
      config,
      from: given.from,
      cwd: process.cwd(),
      tempDir,
      onWarning: output.warn,
    });
    const { size } = await stat(bundle);
    if (size > MAX_BUNDLE_BYTES) {
      throw new CliError(
        'usage',
        `${given.from} is ${Math.ceil(size / 1024 / 1024)} MiB as a bundle; a box takes 256 MiB.`,
        {
          hint: 'Bring a smaller history, e.g. a copy of the files without .git.',
        },
      );
    }
    const project = await box.call('addProject', {
      params,
      rawBody: Readable.toWeb(createReadStream(bundle)) as ReadableStream<Uint8Array>,
    });
    output.note(`Project ${project.name} is made at ${short(project.mainCommit)}.`);
    output.note(
      `It goes live with its first task: ./dbox story --project ${project.name} -f SPEC.yaml --follow`,
    );
    output.answerJson(project);
    return EXIT.ok;
  } finally {
    await rm(tempDir, { recursive: true, force: true });
  }
}

export async function removeProject(context: CommandContext, name: string): CommandResult {
  const { box, output } = context;
  const question = `Stop the sites of ${name} and take it out of the box? Its repository is kept in removed/.`;
  if (!(await askYesNo(context, question))) {
    throw new CliError('cancelled', 'Nothing was removed.');
  }
  await box.call('removeProject', { params: { project: name } });
  output.note(`Project ${name} is removed; its repository is kept in the workspace under removed/.`);
  output.answerJson({ removed: name });
  return EXIT.ok;
}
