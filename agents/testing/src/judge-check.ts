import type { Check, CheckResult, CommandCriterion } from '@dbox/contracts';
import type { CommandOutcome } from '@dbox/sandbox';
import { findAbsence } from './missing-program.ts';
import { toPlainText } from './plain-text.ts';

const MAX_QUOTE = 200;

export function judgeCheck(check: Check, criterion: CommandCriterion, ended: CommandOutcome): CheckResult {
  const output = toPlainText(`${ended.head}${ended.tail}`);
  const result = (outcome: CheckResult['outcome'], seen: string): CheckResult => ({
    id: check.id,
    outcome,
    detail: `\`${criterion.run}\` must end with exit ${criterion.exitCode}: ${seen}`,
    latencyMs: ended.durationMs,
  });
  if (ended.end === 'could_not_start' || ended.end === 'aborted')
    return result('could_not_run', ended.detail);
  if (ended.end !== 'exited') return result('failed', `it ${ended.detail}`);
  if (ended.exitCode === criterion.exitCode) return result('passed', ended.detail);
  const absence = findAbsence({ run: criterion.run, exitCode: ended.exitCode, output });
  if (absence !== null) return result('could_not_run', absence.what);
  const lastLine = output.trimEnd().split('\n').at(-1)?.trim().slice(-MAX_QUOTE);
  return result('failed', lastLine ? `${ended.detail} (${lastLine})` : ended.detail);
}
