import type { BoxState } from './box-state.ts';
import type { CommandContext } from './command-context.ts';
import type { Config } from './config.ts';
import { CliError } from './failure.ts';
import { readStackEnvironment } from './stack/stack-files.ts';
import type { Scale } from './stack/start-stack.ts';
import { findLivingBox, startBox } from './start-box.ts';

export interface WantedBox {
  readonly sandbox: boolean;
  /** `--docker` was said. */
  readonly docker: boolean;
  readonly scale: Scale;
  /** Others may reach it without TLS. */
  readonly insecure: boolean;
  /** Also a box of containers that answers is brought to what this checkout says. */
  readonly refresh: boolean;
}

/** What a person asked for, else what this workspace was last time; a workspace is never both. */
export async function boxModeOf(config: Config, docker: boolean): Promise<'process' | 'docker'> {
  const hasStack = (await readStackEnvironment(config.workspaceDir)) !== null;
  const asked = docker ? 'docker' : config.mode;
  if (asked === 'process' && hasStack) {
    throw new CliError('usage', `${config.workspaceDir} holds a box of containers.`, {
      hint: 'Unset DBOX_MODE, or choose another workspace with DBOX_WORKSPACE=DIR.',
    });
  }
  return asked ?? (hasStack ? 'docker' : 'process');
}

/** The running box, started where there was none: as one process, or as containers. */
export async function ensureBox(
  context: CommandContext,
  wanted: WantedBox,
): Promise<{ state: BoxState; started: boolean }> {
  const { config, output, clock } = context;
  const onStarting = (): void => output.note('Starting the box …');
  if ((await boxModeOf(config, wanted.docker)) === 'docker') {
    if (!wanted.sandbox) {
      throw new CliError('usage', 'A box of containers always has its sandbox.', {
        hint: 'Leave --no-sandbox away.',
      });
    }
    const living = await findLivingBox(config.workspaceDir);
    if (living?.mode === 'docker' && !wanted.refresh) return { state: living, started: false };
    if (living === null) onStarting();
    // Only now: commands that talk to a box that is up need none of this.
    const { startStack } = await import('./stack/start-stack.ts');
    const state = await startStack({
      config,
      clock,
      output,
      scale: wanted.scale,
      insecure: wanted.insecure,
    });
    return { state, started: living === null };
  }
  if (Object.keys(wanted.scale).length > 0) {
    throw new CliError('usage', 'Only a box of containers has more than one agent of a kind.', {
      hint: 'Add --docker.',
    });
  }
  return startBox({
    config,
    clock,
    sandbox: wanted.sandbox,
    insecure: wanted.insecure,
    onStarting,
    onWaiting: (pid) => output.note(`Waiting for the box that is starting or stopping (process ${pid}) …`),
  });
}
