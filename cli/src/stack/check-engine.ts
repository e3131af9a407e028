import type { Config } from '../config.ts';
import { runDocker } from './docker.ts';

/** Answers at once, or it hangs. */
const LOOK_LIMIT_MS = 15_000;
/** The first with `start_interval` in health checks. */
const ENGINE_MAJOR = 25;
/** The first whose `--wait`, profiles and file secrets do what the Compose file asks for. */
const COMPOSE = [2, 20] as const;

export interface EngineReport {
  readonly outcome: 'ok' | 'fail';
  readonly detail: string;
  /** Null where nothing has to be done. */
  readonly remedy: string | null;
}

const INSTALL =
  'Install Docker Engine 25 or newer with the Compose plugin (https://docs.docker.com/engine/install/); on a Debian 12 without a registry run `sudo deploy/engine/engine-up`.';

/** Whether containers can be built and run here, and what to install where not. */
export async function checkEngine(config: Config): Promise<EngineReport> {
  const ask = (args: string[]) => runDocker({ config, args, timeoutMs: LOOK_LIMIT_MS });
  const [engine, compose, buildx] = await Promise.all([
    ask(['version', '--format', '{{.Server.Version}}']),
    ask(['compose', 'version', '--short']),
    ask(['buildx', 'version']),
  ]);
  if (engine.end === 'missing') return fail('the command `docker` is not installed', INSTALL);
  const version = engine.stdout.trim();
  if (!engine.ok || version === '') return explainSilence(engine.stderr, engine.end === 'timed_out');
  if (Number.parseInt(version, 10) < ENGINE_MAJOR) {
    return fail(`Docker Engine ${version} is too old`, INSTALL);
  }
  if (!compose.ok) return fail(`Docker Engine ${version} is here, Docker Compose v2 is not`, INSTALL);
  const [major = 0, minor = 0] = compose.stdout.trim().replace(/^v/, '').split('.').map(Number);
  if (major < COMPOSE[0] || (major === COMPOSE[0] && minor < COMPOSE[1])) {
    return fail(`Docker Compose ${compose.stdout.trim()} is too old`, INSTALL);
  }
  if (!buildx.ok) return fail(`Docker Engine ${version} is here, its plugin buildx is not`, INSTALL);
  return {
    outcome: 'ok',
    detail: `Docker Engine ${version}, Compose ${compose.stdout.trim()}`,
    remedy: null,
  };
}

function explainSilence(said: string, timedOut: boolean): EngineReport {
  if (/permission denied/i.test(said)) {
    return fail(
      'Docker’s container engine may not be used by this user',
      'Run `sudo usermod -aG docker $USER` and log in again, or use rootless Docker.',
    );
  }
  if (timedOut)
    return fail(
      'Docker’s container engine does not answer',
      'Start it again: `sudo systemctl restart docker`.',
    );
  return fail(
    'Docker’s container engine is not running',
    'Start it: `sudo systemctl start docker`; where it was set up by `deploy/engine/engine-up`, run that again.',
  );
}

function fail(detail: string, remedy: string): EngineReport {
  return { outcome: 'fail', detail, remedy };
}
