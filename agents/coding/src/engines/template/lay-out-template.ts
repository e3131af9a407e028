import { chmod, copyFile, lstat, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { JobFailure } from '@dbox/agent-sdk';
import type { EngineFailure } from '../engine.ts';
import { makeParents } from '../inner-path.ts';
import { fillPath, fillPlaceholders, formatOf } from './placeholders.ts';
import type { Template } from './template.ts';
import type { TemplateValues } from './values.ts';

/** Copies a template into a tree. Files that are there already are left as they are. */
export async function createFrom(template: Template, tree: string, values: TemplateValues): Promise<void> {
  const entries = await readdir(template.dir, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const from = join(entry.parentPath, entry.name);
    const path = from.slice(template.dir.length + 1).replaceAll('\\', '/');
    if (path === 'template.json' || path.startsWith('extend/')) continue;
    const renamed = template.create.rename[path];
    const to = renamed === undefined ? path.replace(/\.tmpl$/, '') : fillPath(renamed, values);
    await copyFilled({ from, tree, to, values });
  }
}

/** Adds what the template's `extend` says. Returns the values with the slug that was free. */
export async function extendBy(
  template: Template,
  tree: string,
  values: TemplateValues,
): Promise<TemplateValues | EngineFailure> {
  const chosen = await withFreeSlug(template, tree, values);
  for (const { file, before, text } of template.extend.insert) {
    const path = join(tree, file);
    const present = (await isFile(tree, file)) ? await readFile(path, 'utf8') : '';
    const at = present.indexOf(before);
    const format = formatOf(file);
    if (at === -1 || format === null) {
      return {
        cause: 'final',
        detail: `${file} has no \`${before}\` any more, before which the template engine adds ${template.extend.adds}; put it back, or let a model do the work`,
      };
    }
    const inserted = fillPlaceholders(text, format, chosen);
    await writeFile(path, present.slice(0, at) + inserted + present.slice(at));
  }
  for (const { from, to } of template.extend.files) {
    await copyFilled({ from: join(template.dir, from), tree, to: fillPath(to, chosen), values: chosen });
  }
  return chosen;
}

/** The first of `slug`, `slug-2`, `slug-3` … of which no file is there. */
async function withFreeSlug(
  template: Template,
  tree: string,
  values: TemplateValues,
): Promise<TemplateValues> {
  for (let n = 1; ; n += 1) {
    const tried = n === 1 ? values : { ...values, itemSlug: `${values.itemSlug}-${n}` };
    const taken = await Promise.all(
      template.extend.files.map(({ to }) => lstat(join(tree, fillPath(to, tried))).catch(() => null)),
    );
    if (taken.every((stats) => stats === null)) return tried;
  }
}

async function copyFilled(o: {
  readonly from: string;
  readonly tree: string;
  readonly to: string;
  readonly values: TemplateValues;
}): Promise<void> {
  const target = join(o.tree, o.to);
  if ((await lstat(target).catch(() => null)) !== null) return;
  const blocked = await makeParents(o.tree, o.to);
  if (blocked !== null) throw new JobFailure('final', `${o.to} cannot be written: ${blocked}`);
  const format = formatOf(o.to);
  if (format === null) {
    await copyFile(o.from, target);
  } else {
    await writeFile(target, fillPlaceholders(await readFile(o.from, 'utf8'), format, o.values));
  }
  // Not the umask's: the same files must give the same commit everywhere.
  await chmod(target, (await stat(o.from)).mode & 0o100 ? 0o755 : 0o644);
}

/** A file of the tree itself: neither a link nor behind one. */
async function isFile(tree: string, path: string): Promise<boolean> {
  if ((await makeParents(tree, path)) !== null) return false;
  return (await lstat(join(tree, path)).catch(() => null))?.isFile() ?? false;
}
