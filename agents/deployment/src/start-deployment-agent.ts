import { type Clock, type RunningAgent, startAgent, systemClock } from '@dbox/agent-sdk';
import { createClient } from '@dbox/contracts';
import { createDeployHandler } from './deploy-release.ts';
import { createSettingsSource } from './fetch-release-settings.ts';
import { followTopology } from './follow-topology.ts';
import { fetchReleaseSource } from './lay-out-source.ts';
import { createObservationSender } from './observation-sender.ts';
import { createReleaseFiles } from './release-files.ts';
import { createReleaseOutput } from './release-output.ts';
import { clearLayOutDirectory, createReleaseRunner, layOutDirectory } from './release-runner.ts';
import { createSupervisor } from './supervisor.ts';
import type { DeploymentTarget } from './targets/target.ts';
import { tendReleases } from './tend-releases.ts';
import { READY_TIMEOUT_MS } from './wait-until-ready.ts';

export interface DeploymentAgentOptions {
  readonly managerUrl: string;
  readonly token: string;
  /** Holds the trees: `<stateDir>/releases/<id>`. One process at a time. */
  readonly stateDir: string;
  readonly name: string;
  readonly version: string;
  readonly capacity: number;
  /** Where releases run. */
  readonly target: DeploymentTarget;
  /** Names this box, the same after a restart: what carries it and was not started by this life is recovered. */
  readonly boxMarker: string;
  readonly echo?: (line: string) => void;
  readonly clock?: Clock;
  /** How long a release may take to answer for the first time. */
  readonly readyTimeoutMs?: number;
}

/** Its `stop` ends every release too. */
export async function startDeploymentAgent(o: DeploymentAgentOptions): Promise<RunningAgent> {
  const { stateDir, managerUrl, token, target } = o;
  const readyTimeoutMs = o.readyTimeoutMs ?? READY_TIMEOUT_MS;
  const clock = o.clock ?? systemClock;
  const client = createClient({ baseUrl: managerUrl, token });
  const files = createReleaseFiles(stateDir);
  const stopping = new AbortController();
  const runner = createReleaseRunner({
    target,
    files,
    boxMarker: o.boxMarker,
    settings: createSettingsSource({ client, clock, stopping: stopping.signal }),
  });
  const warnings = await target.warnings();
  const recovered = await runner.recover();
  await clearLayOutDirectory(stateDir);

  let agent: RunningAgent | null = null;
  const warn = (message: string, data: object) => agent?.log('warn', message, data);
  const observations = createObservationSender({ client, clock, warn });
  const supervisor = createSupervisor({
    runner,
    files,
    clock,
    warn,
    readyTimeoutMs,
    observe: observations.send,
    openOutput: (releaseId) => createReleaseOutput({ client, clock, releaseId }),
    fetchSource: ({ releaseId, commit }, signal) =>
      fetchReleaseSource({
        client,
        releaseId,
        commit,
        signal,
        workDir: layOutDirectory(stateDir, releaseId),
      }),
  });
  await supervisor.takeBack(recovered);
  const tending = tendReleases({
    client,
    clock,
    warn,
    target,
    sweep: supervisor.sweep,
    observe: observations.send,
    signal: stopping.signal,
  });
  const following = followTopology({ client, clock, warn, signal: stopping.signal, apply: supervisor.apply });

  async function stopReleases(): Promise<void> {
    stopping.abort();
    await Promise.all([following, tending]);
    await supervisor.stop();
    observations.close();
  }

  try {
    agent = await startAgent({
      kind: 'deployment',
      name: o.name,
      version: o.version,
      capacity: o.capacity,
      warnings: [...warnings],
      managerUrl,
      token,
      stateDir,
      handlers: { deploy: createDeployHandler({ runner, supervisor, clock, readyTimeoutMs }) },
      clock,
      ...(o.echo ? { echo: o.echo } : {}),
    });
  } catch (error) {
    await stopReleases();
    throw error;
  }
  const started = agent;
  let stopped: Promise<void> | null = null;
  return {
    get agentId() {
      return started.agentId;
    },
    client: started.client,
    log: started.log,
    stop(stopOptions) {
      stopped ??= (async () => {
        // Jobs first: what they have made is stopped with the rest.
        stopping.abort();
        await started.stop(stopOptions);
        await stopReleases();
      })();
      return stopped;
    },
  };
}
