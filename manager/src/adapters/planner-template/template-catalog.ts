import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isMissing } from '../durable-file.ts';

const Acceptance = z.array(z.record(z.string(), z.json()));

/** What the planner reads of a `template.json`; `templates/README.md` tells what the keys mean. */
const TemplateFile = z.object({
  name: z.string(),
  keywords: z.array(z.string()),
  acceptance: Acceptance,
  tests: z.array(z.object({ run: z.string() })),
  create: z.object({ rename: z.record(z.string(), z.string()) }).default({ rename: {} }),
  extend: z.object({
    adds: z.string(),
    keywords: z.array(z.string()),
    files: z.array(z.object({ to: z.string() })),
    insert: z.array(z.unknown()),
    acceptance: Acceptance,
  }),
});

export interface Template extends z.infer<typeof TemplateFile> {
  /** What a new project of it holds, with placeholders still in the paths. */
  readonly createdFiles: readonly string[];
}

/** All templates, by name in order. Read anew each time, so that one can be mended while the box runs. */
export async function readTemplateCatalog(directory: string): Promise<readonly Template[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const templates: Template[] = [];
  for (const name of names.sort()) {
    const text = await readFile(join(directory, name, 'template.json'), 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (text === null) continue;
    const file = parse(name, text);
    templates.push({
      ...file,
      createdFiles: await createdFilesOf(join(directory, name), file.create.rename),
    });
  }
  return templates;
}

/** Whether its projects begin with a resource that the story names. */
export function namesResource(template: Template): boolean {
  return Object.values(template.create.rename).some((path) => path.includes('{{resource}}'));
}

function parse(name: string, text: string): z.infer<typeof TemplateFile> {
  try {
    const file = TemplateFile.parse(JSON.parse(text));
    if (file.name !== name) throw new Error(`it says its name is ${file.name}`);
    return file;
  } catch (cause) {
    throw new Error(`templates/${name}/template.json cannot be used`, { cause });
  }
}

async function createdFilesOf(
  directory: string,
  rename: Readonly<Record<string, string>>,
): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((path) => path !== 'template.json' && !path.startsWith('extend/'))
    .map((path) => rename[path] ?? path.replace(/\.tmpl$/, ''));
}
