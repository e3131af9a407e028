import { rename } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { CliError } from '../failure.ts';
import { removeStackState } from './box-file.ts';
import { checkEngine } from './check-engine.ts';
import { composeArguments } from './compose.ts';
import type { DockerOutcome } from './docker.ts';
import { lastLines, runDocker } from './docker.ts';
import { boxNameOf, forgetStackEnvironment, readStackEnvironment } from './stack-files.ts';

/** Services get 20 to 30 s to end, one after the other along what depends on what. */
const STOP_LIMIT_MS = 150_000;
const REMOVE_LIMIT_MS = 120_000;

/** Stops services and sites, and keeps all of them. False where nothing ran. */
export async function stopStack(config: Config): Promise<boolean> {
  const name = await requireStack(config);
  const labels = [`com.docker.compose.project=${name}`, `dbox.box=${name}`];
  const running = (await Promise.all(labels.map((label) => listIds(config, ['ps', '-q'], label)))).flat();
  if (running.length > 0) {
    // In order, so that each can still say goodbye to those it depends on.
    expectOk(
      await runDocker({ config, args: composeArguments(config, ['stop']), timeoutMs: STOP_LIMIT_MS }),
      'The box could not be stopped',
    );
    // What a deployment agent that was killed has left running.
    const left = await listIds(config, ['ps', '-q'], `dbox.box=${name}`);
    if (left.length > 0) await runDocker({ config, args: ['stop', ...left], timeoutMs: STOP_LIMIT_MS });
  }
  await removeStackState(config.workspaceDir);
  return running.length > 0;
}

/**
 * Removes all that the engine has of this box: containers, networks, volumes with the data of its
 * sites and its store, images. The workspace is moved aside; its new place is returned.
 */
export async function removeStack(config: Config, confirm: string | null): Promise<string> {
  const name = await requireStack(config);
  if (confirm !== name) {
    throw new CliError(
      'usage',
      `This removes the store, the releases and the data of every site of the box ${name} for good.`,
      { hint: `If you mean it: \`./dbox down --volumes --confirm=${name}\`.` },
    );
  }
  await stopStack(config);
  for (const label of [`com.docker.compose.project=${name}`, `dbox.box=${name}`]) {
    await removeListed(config, label, ['ps', '-aq'], ['rm', '--force', '--volumes']);
    await removeListed(config, label, ['network', 'ls', '-q'], ['network', 'rm']);
    await removeListed(config, label, ['volume', 'ls', '-q'], ['volume', 'rm', '--force']);
    await removeListed(config, label, ['image', 'ls', '-aq'], ['image', 'rm', '--force']);
  }
  await forgetStackEnvironment(config);
  const aside = `${config.workspaceDir}.removed-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  await rename(config.workspaceDir, aside);
  return aside;
}

async function requireStack(config: Config): Promise<string> {
  const values = await readStackEnvironment(config.workspaceDir);
  if (values === null) {
    throw new CliError('failed', `There is no box of containers on ${config.workspaceDir}.`);
  }
  const engine = await checkEngine(config);
  if (engine.outcome === 'fail') {
    throw new CliError('failed', `${engine.detail}.`, { hint: engine.remedy ?? '' });
  }
  return values.DBOX_BOX_NAME ?? boxNameOf(config);
}

async function listIds(config: Config, list: readonly string[], label: string): Promise<string[]> {
  const args = [...list, '--filter', `label=${label}`];
  const found = expectOk(
    await runDocker({ config, args, timeoutMs: REMOVE_LIMIT_MS }),
    'The engine did not say what it has of this box',
  );
  return [...new Set(found.stdout.split('\n').filter((id) => id !== ''))];
}

async function removeListed(
  config: Config,
  label: string,
  list: readonly string[],
  remove: readonly string[],
): Promise<void> {
  const ids = await listIds(config, list, label);
  if (ids.length === 0) return;
  const args = [...remove, ...ids];
  expectOk(
    await runDocker({ config, args, timeoutMs: REMOVE_LIMIT_MS }),
    `\`docker ${remove.join(' ')}\` failed`,
  );
}

function expectOk(outcome: DockerOutcome, what: string): DockerOutcome {
  if (outcome.ok) return outcome;
  const why = outcome.end === 'timed_out' ? 'it took too long' : lastLines(outcome.stderr, 5);
  throw new CliError('failed', `${what}: ${why}`, { hint: 'Call it again; it goes on where it was.' });
}
