import { resolve } from 'node:path';
import type { Finding, TaskSpec } from '@dbox/contracts';
import type { SpecSource } from '@dbox/spec-kit';
import { checkTaskGraph, readTaskSpecs } from '@dbox/spec-kit';
import type { CommandContext, CommandResult } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { plainLine } from '../plain-text.ts';
import { readSpecFile } from '../spec-documents.ts';

/** Checks task specs together, as they would be submitted; needs no box. */
export async function validateSpecs(
  { output }: Pick<CommandContext, 'output'>,
  files: readonly string[],
): CommandResult {
  const specs: TaskSpec[] = [];
  const sources: SpecSource[] = [];
  const findings: Finding[] = [];
  for (const file of files) {
    const read = readTaskSpecs({ file, yaml: await readSpecFile(resolve(file), file) });
    specs.push(...read.specs);
    sources.push(...read.sources);
    findings.push(...read.findings);
  }
  // Where a spec could not be read, what depends on it would be found wrong for that alone.
  const readable = !findings.some((finding) => finding.severity === 'error');
  if (readable) findings.push(...checkTaskGraph({ specs, sources, known: [] }));
  const valid = !findings.some((finding) => finding.severity === 'error');

  output.answerJson({ valid, tasks: specs.map(({ id, title }) => ({ id, title })), findings });
  for (const finding of findings) {
    const { file, line, column, severity, message, path, hint } = finding;
    const style = severity === 'error' ? 'red' : 'yellow';
    const where = path === '' ? '' : ` (${plainLine(path)})`;
    output.answer(
      `${plainLine(file)}:${line}:${column}: ${output.out(style, severity)}: ${plainLine(message)}${where}` +
        (hint === '' ? '' : `\n  ${plainLine(hint)}`),
    );
  }
  if (valid)
    output.answer(`✓ ${specs.length === 1 ? '1 task spec is' : `${specs.length} task specs are`} valid.`);
  return valid ? EXIT.ok : EXIT.usage;
}
