import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const Insert = z.object({ file: z.string(), before: z.string().min(1), text: z.string() }).strict();

/** `template.json`, whose meaning `templates/README.md` tells. What only the planner reads is let through as it is. */
const TemplateFile = z
  .object({
    name: z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/),
    description: z.string(),
    lead: z.string().min(1),
    keywords: z.array(z.string()),
    acceptance: z.array(z.record(z.string(), z.json())),
    tests: z.array(z.object({ run: z.string() }).strict()),
    create: z
      .object({ rename: z.record(z.string(), z.string()) })
      .strict()
      .default({ rename: {} }),
    extend: z
      .object({
        adds: z.string(),
        keywords: z.array(z.string()),
        files: z.array(z.object({ from: z.string(), to: z.string() }).strict()).min(1),
        insert: z.array(Insert),
        acceptance: z.array(z.record(z.string(), z.json())),
      })
      .strict(),
  })
  .strict();

export type Template = z.infer<typeof TemplateFile> & { readonly dir: string };

/** All templates of a directory by name. A directory without `template.json` is none; one that is wrong is an error. */
export async function readTemplates(templatesDir: string): Promise<ReadonlyMap<string, Template>> {
  const templates = new Map<string, Template>();
  const entries = await readdir(templatesDir, { withFileTypes: true });
  for (const entry of entries.filter((entry) => entry.isDirectory()).sort(byName)) {
    const dir = join(templatesDir, entry.name);
    const text = await readFile(join(dir, 'template.json'), 'utf8').catch(() => null);
    if (text === null) continue;
    const template = parseTemplate(entry.name, text);
    templates.set(template.name, { ...template, dir });
  }
  return templates;
}

function parseTemplate(dirName: string, text: string): z.infer<typeof TemplateFile> {
  try {
    const template = TemplateFile.parse(JSON.parse(text));
    if (template.name !== dirName) throw new Error(`it is named ${template.name}`);
    return template;
  } catch (cause) {
    const wrong = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new Error(`templates/${dirName}/template.json cannot be used: ${wrong}`, { cause });
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
