import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Answer, OperationName } from '@dbox/contracts';
import type { CallOptions, Client, RawBody } from '@dbox/contracts/client';
import { createClient } from '@dbox/contracts/client';
import { processIsAlive, readBoxState } from './box-state.ts';
import type { Config } from './config.ts';
import { CliError } from './failure.ts';

/** The box a command talks to. Its address is looked up with each call: a restart may have moved it. */
export interface BoxConnection {
  call<K extends OperationName>(operation: K, options?: CallOptions<K> & RawBody): Promise<Answer<K>>;
  raw<K extends OperationName>(operation: K, options?: CallOptions<K> & RawBody): Promise<Response>;
}

type Given = Pick<Config, 'workspaceDir' | 'host' | 'token'>;

export function connectBox(config: Given): BoxConnection {
  const client = async (): Promise<Client> => createClient(await findBox(config));
  return {
    call: async (operation, options) =>
      // 204 is the answer of operations whose answer type is `undefined`.
      (await (await client()).call(operation, options)) as Answer<typeof operation>,
    raw: async (operation, options) => (await client()).raw(operation, options),
  };
}

async function findBox(config: Given): Promise<{ baseUrl: string; token: string | null }> {
  if (config.host !== null) {
    const baseUrl = readHost(config.host);
    // The admin token of this workspace is never sent to another machine.
    const token = config.token ?? (isLoopback(baseUrl) ? await readLocalToken(config.workspaceDir) : null);
    return { baseUrl, token };
  }
  const state = await readBoxState(config.workspaceDir);
  const gone = state !== null && state.mode === 'process' && !processIsAlive(state.pid);
  if (state === null || gone) {
    throw new CliError('box_unreachable', `No box is running on ${config.workspaceDir}.`, {
      hint: 'Start it with `./dbox up`.',
    });
  }
  return { baseUrl: state.url, token: config.token ?? (await readLocalToken(config.workspaceDir)) };
}

/** `127.0.0.1:7700` is short for `http://127.0.0.1:7700`. */
export function readHost(host: string): string {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(host) ? host : `http://${host}`;
  if (URL.canParse(text)) {
    const url = new URL(text);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url.origin;
  }
  throw new CliError('usage', `"${host}" is no address of a box.`, {
    hint: 'Write it as http://HOST:PORT, e.g. --host http://127.0.0.1:7700.',
  });
}

function isLoopback(baseUrl: string): boolean {
  const { hostname } = new URL(baseUrl);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

async function readLocalToken(workspaceDir: string): Promise<string | null> {
  const file = join(workspaceDir, 'secrets', 'admin.token');
  try {
    return (await readFile(file, 'utf8')).trim() || null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return null;
    throw new CliError('failed', `${file} belongs to another user and cannot be read.`, {
      hint: 'Set DBOX_TOKEN, or run dbox as the user who started the box.',
      cause: error,
    });
  }
}
