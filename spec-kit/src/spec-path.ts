import { posix } from 'node:path';
import type { FindingText } from './finding-list.ts';
import { quoted } from './finding-list.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const CONTROL = /[\u0000-\u001f\u007f]/;

/** An output as an absolute path below `/workspace`; a relative one lies in the task's own directory. */
export function readOutputPath(written: string, taskId: string): { path: string } | FindingText {
  const outside = (message: string): FindingText => ({
    code: 'outside_workspace',
    message,
    hint: `Write a path such as /workspace/tasks/${taskId}/src.`,
  });
  if (CONTROL.test(written)) return outside(`${quoted(written)} holds a control character.`);
  if (written.split('/').includes('..')) return outside(`${quoted(written)} holds "..".`);
  const path = posix
    .normalize(written.startsWith('/') ? written : `/workspace/tasks/${taskId}/${written}`)
    .replace(/\/$/, '');
  if (!path.startsWith('/workspace/')) return outside(`${quoted(written)} is not below /workspace.`);
  return { path };
}

/** A path below a directory that is not named here: the spec file's, or the checkout. */
export function readInnerPath(written: string): { path: string } | FindingText {
  const bad = (message: string): FindingText => ({
    code: 'bad_path',
    message,
    hint: 'Write a relative path without "..".',
  });
  if (CONTROL.test(written)) return bad(`${quoted(written)} holds a control character.`);
  if (written.startsWith('/')) return bad(`${quoted(written)} is absolute.`);
  if (written.split('/').includes('..')) return bad(`${quoted(written)} holds "..".`);
  return { path: written };
}
