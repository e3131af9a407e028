import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@dbox/contracts';
import { createClient } from '@dbox/contracts';
import type { Box } from '../box.ts';

/** A client of the box as it runs now: a box that was started again may listen elsewhere. Throws where none runs. */
export async function connectTo(box: Box, role = 'operator'): Promise<Client> {
  const token = await readFile(join(box.workspace, 'secrets', `${role}.token`), 'utf8');
  return createClient({ baseUrl: await urlOf(box), token: token.trim() });
}

/** Of the manager, for this machine. Containers are published where that was asked for, and nowhere else. */
export async function urlOf(box: Box): Promise<string> {
  if (box.stack !== null) return `http://127.0.0.1:${box.env.DBOX_PORT}`;
  const { url } = JSON.parse(await readFile(join(box.workspace, 'box.json'), 'utf8')) as { url: string };
  return url;
}
