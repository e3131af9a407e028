import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Attachment, Finding, SpecDocument } from '@dbox/contracts';
import { MAX_ATTACHMENT_BYTES } from '@dbox/contracts';
import { readTaskSpecs } from '@dbox/spec-kit';
import { AttachmentError, readAttempt } from './attempt-files.ts';
import { CliError } from './failure.ts';

/** Reads spec files with everything their scripted inputs name. Throws `CliError` with every finding. */
export async function readSpecDocuments(files: readonly string[], cwd: string): Promise<SpecDocument[]> {
  const documents: SpecDocument[] = [];
  const findings: Finding[] = [];
  const budget = { leftBytes: MAX_ATTACHMENT_BYTES };
  for (const file of files) {
    const yaml = await readSpecFile(resolve(cwd, file), file);
    const read = readTaskSpecs({ file, yaml });
    findings.push(...read.findings.filter((finding) => finding.severity === 'error'));
    const attachments = new Map<string, Attachment>();
    for (const [index, spec] of read.specs.entries()) {
      for (const [i, input] of spec.inputs.entries()) {
        if (input.type !== 'scripted') continue;
        for (const [j, attempt] of input.attempts.entries()) {
          if (attachments.has(attempt)) continue;
          try {
            attachments.set(attempt, await readAttempt(attempt, dirname(resolve(cwd, file)), budget));
          } catch (error) {
            if (!(error instanceof AttachmentError)) throw error;
            const place = read.sources[index]?.locate(['inputs', i, 'attempts', j]);
            findings.push({
              code: 'attempt_unreadable',
              severity: 'error',
              file,
              line: place?.line ?? 1,
              column: place?.column ?? 1,
              path: place?.path ?? `inputs[${i}].attempts[${j}]`,
              message: error.message,
              hint: error.hint,
            });
          }
        }
      }
    }
    documents.push({ file, yaml, attachments: [...attachments.values()] });
  }
  if (findings.length > 0) {
    throw new CliError('invalid_spec', 'The task spec cannot be used; nothing was submitted.', { findings });
  }
  return documents;
}

/** The text of a spec file; a file that is absent or not text is the person's mistake. */
export async function readSpecFile(path: string, file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'EISDIR'
          ? 'is a directory'
          : `cannot be read (${code})`;
    throw new CliError('usage', `${file} ${why}.`, { hint: 'Give the path of a task spec in YAML.', cause });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CliError('invalid_spec', `${file} is not UTF-8 text.`, { hint: 'Save it as UTF-8.', cause });
  }
}
