import type { StatusReport } from '@dbox/contracts';
import type { BoxState } from '../box-state.ts';
import { placeOf } from '../box-state.ts';
import type { CommandContext, CommandResult } from '../command-context.ts';
import { ensureBox } from '../ensure-box.ts';
import { EXIT } from '../exit-codes.ts';
import { CliError } from '../failure.ts';
import { plainLine } from '../plain-text.ts';
import { formatDuration } from '../quantities.ts';
import type { Scale } from '../stack/start-stack.ts';

/** Releases that were live start again within about a second each. */
const SITES_LIMIT_MS = 15_000;
const LOOK_INTERVAL_MS = 100;

export async function up(
  context: CommandContext,
  flags: {
    readonly sandbox: boolean;
    readonly docker: boolean;
    readonly insecure: boolean;
    readonly scale: Scale;
  },
): CommandResult {
  const { config, output, clock, box } = context;
  if (config.host !== null) {
    throw new CliError('usage', 'A box on another machine cannot be started from here.', {
      hint: 'Leave --host and DBOX_HOST away to start one here.',
    });
  }
  const startedAt = clock.now();
  const { state, started } = await ensureBox(context, { ...flags, refresh: true });
  let status = await box.call('getStatus');
  if (started) {
    const sites = liveSites(status);
    if (sites.length > 0)
      output.note(`Bringing back ${sites.length === 1 ? 'the site' : `${sites.length} sites`} …`);
    for (const site of await findSilentSites(context, sites)) {
      output.warn(
        `${site.project} (${site.url}) does not answer yet; see \`./dbox status\` and \`./dbox logs ${site.releaseId}\`.`,
      );
    }
    sayBoxIsUp(context, state);
    if (sites.length > 0) status = await box.call('getStatus');
    output.detail(`started in ${formatDuration(clock.now() - startedAt)}`);
  } else {
    output.note(`The box is up already (${placeOf(state)}).`);
  }
  for (const warning of status.box.warnings) output.warn(plainLine(warning));
  output.answer(state.url);
  for (const site of liveSites(status)) output.answer(`${site.project}  ${site.url}`);
  output.answerJson({ ...status, started });
  return EXIT.ok;
}

export function sayBoxIsUp({ output, config }: CommandContext, state: BoxState): void {
  output.note(`${output.err('green', '✓')} The box is up at ${state.url} (${placeOf(state)}).`);
  const port = Number(new URL(state.url).port);
  // A box of containers has said so before it started.
  if (state.mode === 'process' && config.managerPort !== 0 && port !== config.managerPort) {
    output.note(`  Port ${config.managerPort} was taken, so it listens on ${port}.`);
  }
}

interface Site {
  readonly project: string;
  readonly url: string;
  readonly releaseId: string;
}

function liveSites(status: StatusReport): Site[] {
  return status.projects.flatMap((project) =>
    project.environments.flatMap(({ url, release }) =>
      release === null ? [] : [{ project: project.name, url, releaseId: release.id }],
    ),
  );
}

/** Waits, within bounds, until every site answers for itself, and gives those that do not. */
async function findSilentSites({ clock }: CommandContext, sites: readonly Site[]): Promise<Site[]> {
  const startedAt = clock.now();
  let silent = [...sites];
  while (silent.length > 0) {
    const answers = await Promise.all(silent.map((site) => siteAnswers(site.url)));
    silent = silent.filter((_, index) => !answers[index]);
    if (silent.length === 0 || clock.now() - startedAt > SITES_LIMIT_MS) break;
    await clock.sleep(LOOK_INTERVAL_MS);
  }
  return silent;
}

/** 502 to 504 are the gateway's own words for a release that is not there. */
async function siteAnswers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.status < 502 || response.status > 504;
  } catch (error) {
    // A certificate that this machine does not trust is an answer too.
    const { code = '' } = ((error as Error).cause ?? {}) as { code?: string };
    return /CERT|SSL|TLS|SELF_SIGNED/.test(code);
  }
}
