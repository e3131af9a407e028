import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRecords } from './records.js';
import { readResource } from './resource.js';

/** Reads `site.json`, every resource and every file of `public/`, and opens the data. */
export async function loadApi({ root, dataDir }) {
  const site = JSON.parse(await readFile(join(root, 'site.json'), 'utf8'));
  const names = (await readdir(join(root, 'resources'))).filter((name) => name.endsWith('.json')).sort();
  const resources = await Promise.all(
    names.map(async (name) => readResource(name, await readFile(join(root, 'resources', name), 'utf8'))),
  );
  const records = new Map();
  for (const { name } of resources) records.set(name, await openRecords(join(dataDir, name)));
  const style = await readFile(join(root, 'public', 'style.css'));
  const icon = await readFile(join(root, 'public', 'favicon.svg'));
  return { site, resources, records, style, icon };
}
