import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Route } from '@dbox/contracts';
import { z } from 'zod';

const RouteFile = z.object({
  revision: z.int(),
  routes: z.array(Route),
  /** Free ports that stand in for taken ones, by route key, so that an address survives a restart. */
  substitutes: z.record(z.string(), z.int()),
});
export type SavedRoutes = z.infer<typeof RouteFile>;

/** The routes last served; null where there are none or the file is damaged: then the manager tells. */
export async function readRouteFile(file: string): Promise<SavedRoutes | null> {
  try {
    const read = RouteFile.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return read.success ? read.data : null;
  } catch {
    return null;
  }
}

/** Whole or not at all. Not synced: a power cut costs only what the manager tells again. */
export async function writeRouteFile(file: string, saved: SavedRoutes): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(saved)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
