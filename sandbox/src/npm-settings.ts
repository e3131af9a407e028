import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Toolchain } from './toolchain.ts';

const ASK_TIMEOUT_MS = 15_000;
const KEYS = ['registry', 'proxy', 'https-proxy', 'noproxy', 'cafile'] as const;

export interface NpmSettings {
  /** To be set inside, as npm reads them: `npm_config_registry`. */
  readonly env: Readonly<Record<string, string>>;
  /** A file of certificates on the host that must be shown inside. */
  readonly caFile: string | null;
}

const asked = new Map<string, Promise<NpmSettings>>();

/** How the host's npm reaches its registry, asked of npm itself once; credentials are left behind. */
export function readNpmSettings(toolchain: Toolchain): Promise<NpmSettings> {
  const key = JSON.stringify(toolchain);
  const known = asked.get(key);
  if (known !== undefined) return known;
  const asking = askNpm(toolchain);
  asked.set(key, asking);
  return asking;
}

async function askNpm(toolchain: Toolchain): Promise<NpmSettings> {
  const registry: Record<string, unknown> =
    toolchain.npmRegistry === null ? {} : { registry: toolchain.npmRegistry };
  if (toolchain.npmDir === null) return selectNpmSettings(registry);
  try {
    const { stdout } = await promisify(execFile)(
      toolchain.nodeBin,
      [join(toolchain.npmDir, 'bin', 'npm-cli.js'), 'config', 'list', '--long', '--json'],
      // Away from any project, whose own .npmrc is not the host's.
      { cwd: '/', timeout: ASK_TIMEOUT_MS, maxBuffer: 1024 * 1024, killSignal: 'SIGKILL' },
    );
    return selectNpmSettings({ ...(JSON.parse(stdout) as Record<string, unknown>), ...registry });
  } catch {
    // An npm that does not answer will say more when it installs.
    return selectNpmSettings(registry);
  }
}

export function selectNpmSettings(config: Readonly<Record<string, unknown>>): NpmSettings {
  const env: Record<string, string> = {};
  for (const key of KEYS) {
    const value = config[key];
    const text = Array.isArray(value) ? value.join(',') : value;
    if (typeof text !== 'string' || text === '') continue;
    const plain = key === 'noproxy' || key === 'cafile' ? text : withoutCredentials(text);
    if (plain !== null) env[`npm_config_${key.replaceAll('-', '_')}`] = plain;
  }
  const caFile = env.npm_config_cafile ?? null;
  return { env, caFile };
}

function withoutCredentials(address: string): string | null {
  try {
    const url = new URL(address);
    url.username = '';
    url.password = '';
    return url.href;
  } catch {
    return null;
  }
}
