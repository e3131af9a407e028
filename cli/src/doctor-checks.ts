import { access, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { boxAnswers, placeOf, processIsAlive, readBoxState } from './box-state.ts';
import { runProgram } from './child-process.ts';
import type { Config } from './config.ts';
import { GIT_HINT } from './git.ts';
import { formatBytes } from './quantities.ts';
import { checkEngine } from './stack/check-engine.ts';

export interface DoctorCheck {
  readonly name: string;
  readonly outcome: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do about it; null where nothing has to be done. */
  readonly remedy: string | null;
}

/** A program that only says its version is quick, or it hangs. */
const PROGRAM_LIMIT_MS = 10_000;
/** Below this a box hands out no new work. */
const DISK_FAIL_SHARE = 0.05;
const DISK_WARN_SHARE = 0.1;
const NODE_MAJOR = 24;

export async function checkNode(version: string = process.version): Promise<DoctorCheck> {
  const major = Number(/^v(\d+)/.exec(version)?.[1] ?? 0);
  return major >= NODE_MAJOR
    ? ok('node', `${version}, pinned by this checkout`)
    : bad('fail', 'node', `${version} is too old`, 'Start with ./dbox, which brings its own Node 24.');
}

export async function checkProgram(
  config: Config,
  program: string,
  need: { readonly severity: 'warn' | 'fail'; readonly remedy: string },
): Promise<DoctorCheck> {
  const outcome = await runProgram({
    program,
    args: ['--version'],
    env: { ...config.gitEnvironment },
    timeoutMs: PROGRAM_LIMIT_MS,
  });
  const version = outcome.stdout.split('\n')[0]?.trim() ?? '';
  if (outcome.end === 'missing') return bad(need.severity, program, 'not installed', need.remedy);
  if (outcome.exitCode !== 0) return bad(need.severity, program, 'does not work', need.remedy);
  return ok(program, version);
}

export const checkGit = (config: Config): Promise<DoctorCheck> =>
  checkProgram(config, 'git', { severity: 'fail', remedy: GIT_HINT });

export const checkNpm = (config: Config): Promise<DoctorCheck> =>
  checkProgram(config, 'npm', {
    severity: 'warn',
    remedy: 'Install npm (it comes with Node.js); projects with dependencies cannot be installed without it.',
  });

/** Really runs something in a sandbox: an installed bubblewrap may still be forbidden to make one. */
export async function checkSandbox(config: Config): Promise<DoctorCheck> {
  const args = ['--ro-bind', '/', '/', '--unshare-all', '--die-with-parent', '--proc', '/proc', 'true'];
  const env = { ...config.gitEnvironment };
  const outcome = await runProgram({ program: 'bwrap', args, env, timeoutMs: PROGRAM_LIMIT_MS });
  if (outcome.end === 'exited' && outcome.exitCode === 0) return ok('sandbox', 'bubblewrap works');
  const without = 'Without it only code of the template engine runs, or everything with --no-sandbox.';
  if (outcome.end === 'missing') {
    const how = installHint(await readFile('/etc/os-release', 'utf8').catch(() => ''), process.platform);
    return bad('warn', 'sandbox', 'bubblewrap is not installed', `${how} ${without}`);
  }
  const said = outcome.stderr.trim().split('\n').at(-1) ?? '';
  return bad(
    'warn',
    'sandbox',
    `bubblewrap is installed but cannot make a sandbox: ${said}`,
    `Allow unprivileged user namespaces (on Ubuntu an AppArmor profile for bwrap). ${without}`,
  );
}

/** Needed by a box of containers; for the other kind only worth knowing. */
export async function checkContainers(config: Config, mode: 'process' | 'docker'): Promise<DoctorCheck> {
  const { outcome, detail, remedy } = await checkEngine(config);
  if (outcome === 'ok') return ok('containers', detail);
  if (mode === 'docker') return bad('fail', 'containers', detail, remedy ?? '');
  return ok('containers', `${detail}; only \`./dbox up --docker\` needs that`);
}

/** Which package to install, by what the system says of itself. */
export function installHint(osRelease: string, platform: string): string {
  if (platform !== 'linux') return `There is no bubblewrap for ${platform}.`;
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap((m) =>
    (m[1] ?? '').split(' '),
  );
  const has = (...names: string[]): boolean => names.some((name) => ids.includes(name));
  if (has('debian', 'ubuntu')) return 'Run `sudo apt-get install bubblewrap`.';
  if (has('fedora', 'rhel', 'centos')) return 'Run `sudo dnf install bubblewrap`.';
  if (has('arch')) return 'Run `sudo pacman -S bubblewrap`.';
  if (has('alpine')) return 'Run `sudo apk add bubblewrap`.';
  if (has('suse', 'opensuse')) return 'Run `sudo zypper install bubblewrap`.';
  return 'Install the package `bubblewrap` of your distribution.';
}

export async function checkDisk(workspaceDir: string): Promise<DoctorCheck> {
  const found = await statfs(await nearestExisting(workspaceDir));
  const share = found.blocks === 0 ? 1 : found.bavail / found.blocks;
  const detail = `${formatBytes(found.bavail * found.bsize)} free (${Math.floor(share * 100)} %) for ${workspaceDir}`;
  const remedy = 'Make room, or move the box with DBOX_WORKSPACE=DIR. Below 5 % it hands out no new work.';
  if (share < DISK_FAIL_SHARE) return bad('fail', 'disk', detail, remedy);
  return share < DISK_WARN_SHARE ? bad('warn', 'disk', detail, remedy) : ok('disk', detail);
}

export async function checkWorkspace(workspaceDir: string): Promise<DoctorCheck> {
  const place = await nearestExisting(workspaceDir);
  try {
    await access(place, 2);
    return ok(
      'workspace',
      place === workspaceDir ? workspaceDir : `${workspaceDir} (made at the first start)`,
    );
  } catch {
    const remedy = `Give yourself ${place}, or choose another place with DBOX_WORKSPACE=DIR.`;
    return bad('fail', 'workspace', `${place} cannot be written`, remedy);
  }
}

/** Only while no box runs: a running one holds its own ports. */
export async function checkPort(name: string, port: number): Promise<DoctorCheck> {
  const free = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
  if (free) return ok(name, `${port} is free`);
  return bad('warn', name, `${port} is taken`, 'The box takes a free one instead and says which.');
}

export async function checkBox(workspaceDir: string): Promise<DoctorCheck> {
  const state = await readBoxState(workspaceDir);
  if (state === null) return ok('box', 'not running; `./dbox up` starts it');
  if (await boxAnswers(state.url))
    return ok('box', `up at ${state.url} (${placeOf(state)}, ${state.version})`);
  if (state.mode === 'process' && !processIsAlive(state.pid)) {
    return bad(
      'warn',
      'box',
      `process ${state.pid} ended without saying so`,
      'Run `./dbox up`; it goes on where it was.',
    );
  }
  if (state.mode === 'docker') {
    const remedy = 'Run `./dbox up`; it starts what does not run.';
    return bad('fail', 'box', `the ${placeOf(state)} do not answer at ${state.url}`, remedy);
  }
  const remedy = `See ${join(workspaceDir, 'box.log')}; \`./dbox down\` and \`./dbox up\` start it again.`;
  return bad('fail', 'box', `process ${state.pid} lives but does not answer at ${state.url}`, remedy);
}

export async function checkTokens(workspaceDir: string): Promise<DoctorCheck> {
  const dir = join(workspaceDir, 'secrets');
  const names = (await readdir(dir).catch(() => [])).filter((name) => name.endsWith('.token'));
  if (names.length === 0) return ok('tokens', 'none yet; made at the first start');
  const open: string[] = [];
  for (const name of names) {
    const { mode } = await stat(join(dir, name));
    if ((mode & 0o077) !== 0) open.push(name);
  }
  if (open.length === 0) return ok('tokens', `${names.length} files, readable by you alone`);
  return bad(
    'fail',
    'tokens',
    `others may read ${open.join(', ')}`,
    `Run \`chmod 600 ${join(dir, '*.token')}\`.`,
  );
}

export function checkModel(): DoctorCheck {
  return bad(
    'warn',
    'model',
    'none is configured: the template engine builds from templates',
    'Nothing has to be done for the blog, a static page or a small service; connecting a model comes with the opencode engine.',
  );
}

async function nearestExisting(path: string): Promise<string> {
  let place = path;
  while (!(await stat(place).catch(() => null)) && dirname(place) !== place) place = dirname(place);
  return place;
}

function ok(name: string, detail: string): DoctorCheck {
  return { name, outcome: 'ok', detail, remedy: null };
}

function bad(outcome: 'warn' | 'fail', name: string, detail: string, remedy: string): DoctorCheck {
  return { name, outcome, detail, remedy };
}
