import type { CommandContext, CommandResult } from '../command-context.ts';
import { boxModeOf } from '../ensure-box.ts';
import { EXIT } from '../exit-codes.ts';
import { CliError } from '../failure.ts';
import { stopBox } from '../stop-box.ts';

export async function down(
  context: CommandContext,
  flags: { readonly volumes: boolean; readonly confirm: string | null },
): CommandResult {
  const { config, output, clock } = context;
  if (config.host !== null) {
    throw new CliError('usage', 'A box on another machine cannot be stopped from here.', {
      hint: 'Run `./dbox down` there, or leave --host and DBOX_HOST away.',
    });
  }
  if ((await boxModeOf(config, false)) === 'docker') return downStack(context, flags);
  if (flags.volumes) {
    throw new CliError('usage', 'Only a box of containers has volumes.', {
      hint: `A box of one process is removed with its workspace: \`./dbox down\`, then remove ${config.workspaceDir}.`,
    });
  }
  const outcome = await stopBox(config.workspaceDir, clock);
  switch (outcome.kind) {
    case 'was_not_running':
      output.note('No box is running.');
      break;
    case 'stopped':
      output.note('The box is stopped. `./dbox up` brings it and every live site back.');
      break;
    case 'killed':
      output.warn(
        `The box (process ${outcome.pid}) did not stop in time and was killed. ` +
          'Nothing acknowledged is lost; the next `./dbox up` adopts or ends what it left running.',
      );
      break;
    case 'stuck':
      throw new CliError('failed', `A box (process ${outcome.pid}) is neither ready nor gone yet.`, {
        hint: `Wait and try again, or end it with \`kill -9 ${outcome.pid}\`; nothing acknowledged is lost by that.`,
      });
    case 'not_ours':
      throw new CliError(
        'failed',
        `The box (process ${outcome.state.pid}) was not stopped: ${outcome.reason}.`,
      );
  }
  output.answerJson({
    stopped: outcome.kind !== 'was_not_running',
    killed: outcome.kind === 'killed',
    workspace: config.workspaceDir,
  });
  return EXIT.ok;
}

async function downStack(
  { config, output }: CommandContext,
  flags: { readonly volumes: boolean; readonly confirm: string | null },
): CommandResult {
  const { removeStack, stopStack } = await import('../stack/stop-stack.ts');
  if (flags.volumes) {
    const movedTo = await removeStack(config, flags.confirm);
    output.note(
      `The box is removed. Its workspace lies in ${movedTo}, without the store and the sites’ data.`,
    );
    output.answerJson({ stopped: true, killed: false, removed: true, workspace: movedTo });
    return EXIT.ok;
  }
  const stopped = await stopStack(config);
  output.note(
    stopped ? 'The box is stopped. `./dbox up` brings it and every live site back.' : 'No box is running.',
  );
  output.answerJson({ stopped, killed: false, workspace: config.workspaceDir });
  return EXIT.ok;
}
