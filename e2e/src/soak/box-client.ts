import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@dbox/contracts';
import { createClient } from '@dbox/contracts';
import type { Box } from '../box.ts';

/** A client of the box as it runs now: a box that was started again may listen elsewhere. Throws where none runs. */
export async function connectTo(box: Box, role = 'operator'): Promise<Client> {
  const { url } = JSON.parse(await readFile(join(box.workspace, 'box.json'), 'utf8')) as { url: string };
  const token = await readFile(join(box.workspace, 'secrets', `${role}.token`), 'utf8');
  return createClient({ baseUrl: url, token: token.trim() });
}
