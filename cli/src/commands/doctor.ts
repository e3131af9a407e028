import type { CommandContext, CommandResult } from '../command-context.ts';
import {
  checkBox,
  checkContainers,
  checkDisk,
  checkGit,
  checkModel,
  checkNode,
  checkNpm,
  checkPort,
  checkSandbox,
  checkTokens,
  checkWorkspace,
} from '../doctor-checks.ts';
import { boxModeOf } from '../ensure-box.ts';
import { EXIT } from '../exit-codes.ts';
import { plainLine } from '../plain-text.ts';
import { findLivingBox } from '../start-box.ts';
import { statusMark } from '../status-mark.ts';

export async function doctor({ config, output }: CommandContext): CommandResult {
  const { workspaceDir } = config;
  const running = await findLivingBox(workspaceDir);
  const checks = await Promise.all([
    checkNode(),
    checkNpm(config),
    checkGit(config),
    checkSandbox(config),
    checkContainers(config, await boxModeOf(config, false).catch(() => 'process' as const)),
    checkWorkspace(workspaceDir),
    checkDisk(workspaceDir),
    checkBox(workspaceDir),
    ...(running
      ? []
      : [checkPort('port', config.managerPort), checkPort('gateway port', config.gatewayPort)]),
    checkTokens(workspaceDir),
    checkModel(),
  ]);
  const failed = checks.filter((check) => check.outcome === 'fail').length;
  for (const { name, outcome, detail, remedy } of checks) {
    const { icon, style } = statusMark(outcome);
    output.answer(
      `${output.out(style, `${icon} ${outcome.padEnd(4)}`)}  ${name.padEnd(12)}  ${plainLine(detail)}`,
    );
    if (remedy !== null) output.answer(`                      ${plainLine(remedy)}`);
  }
  output.answerJson({ ok: failed === 0, checks });
  return failed === 0 ? EXIT.ok : EXIT.failed;
}
