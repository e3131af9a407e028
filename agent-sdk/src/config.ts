import { readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import type { AgentKind } from '@dbox/contracts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where git is looked for. An agent that runs in the box's own process takes nothing else from the environment. */
export function readHostPath(): string {
  return process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin';
}

/** What an agent that is a process of its own is told; `docs/settings.env` shows each setting. */
export interface AgentConfig {
  readonly managerUrl: string;
  readonly token: string;
  readonly name: string;
  readonly stateDir: string;
  readonly capacity: number;
  /** Touched while the agent is heard by the manager; a health check looks at its age. */
  readonly healthFile: string;
}

/** The setting is missing or makes no sense; the message says what to write instead. */
export class AgentConfigError extends Error {
  override readonly name = 'AgentConfigError';
}

export function readAgentConfig(
  kind: AgentKind,
  defaults: { readonly capacity: number },
  env: Environment = process.env,
): AgentConfig {
  const name = readName(env.DBOX_AGENT_NAME) ?? `${kind}-${hostname()}`;
  const stateHome = env.XDG_STATE_HOME || join(homedir(), '.local', 'state');
  // One directory an agent, so that several share a volume.
  const stateDir = join(env.DBOX_STATE_DIR || join(stateHome, 'dbox'), name);
  return {
    managerUrl: readManagerUrl(env.DBOX_MANAGER_URL),
    token: readToken(kind, env.DBOX_TOKEN_FILE),
    name,
    stateDir,
    capacity: readCapacity(env.DBOX_CAPACITY, defaults.capacity),
    healthFile: join(stateDir, 'health'),
  };
}

/** It becomes the name of a directory. */
function readName(text: string | undefined): string | null {
  if (!text) return null;
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/.test(text)) return text;
  throw new AgentConfigError(
    `DBOX_AGENT_NAME is "${text}"; use letters, digits, ".", "_" and "-", at most 80 of them`,
  );
}

function readManagerUrl(text: string | undefined): string {
  if (!text) {
    throw new AgentConfigError(
      'DBOX_MANAGER_URL is not set; write the manager’s address, e.g. http://127.0.0.1:7700',
    );
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.origin;
  throw new AgentConfigError(`DBOX_MANAGER_URL is "${text}"; write it as http://HOST:PORT`);
}

function readToken(kind: AgentKind, file: string | undefined): string {
  if (!file) {
    throw new AgentConfigError(
      `DBOX_TOKEN_FILE is not set; name the file that holds this agent’s token (the box keeps it as secrets/agent-${kind}.token in its workspace)`,
    );
  }
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new AgentConfigError(
      `the token file ${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      { cause },
    );
  }
  if (text === '') throw new AgentConfigError(`the token file ${file} is empty`);
  return text;
}

function readCapacity(text: string | undefined, byDefault: number): number {
  if (!text) return byDefault;
  const capacity = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (capacity >= 1 && capacity <= 100) return capacity;
  throw new AgentConfigError(`DBOX_CAPACITY is "${text}"; write a whole number from 1 to 100`);
}
