import { type Clock, type RunningAgent, startAgent, systemClock } from '@dbox/agent-sdk';
import { createClient } from '@dbox/contracts';
import type { Sandbox } from '@dbox/sandbox';
import { createDeployHandler } from './deploy-release.ts';
import { fetchReleaseSettings } from './fetch-release-settings.ts';
import { followTopology } from './follow-topology.ts';
import { fetchReleaseSource } from './lay-out-source.ts';
import { createObservationSender } from './observation-sender.ts';
import { createReleaseFiles } from './release-files.ts';
import { createReleaseOutput } from './release-output.ts';
import { clearLayOutDirectory, createReleaseRunner, layOutDirectory } from './release-runner.ts';
import { createSupervisor } from './supervisor.ts';
import { createProcessTarget } from './targets/process-target.ts';

export interface DeploymentAgentOptions {
  readonly managerUrl: string;
  readonly token: string;
  /** Holds the trees: `<stateDir>/releases/<id>`. One process at a time. */
  readonly stateDir: string;
  /** `<dataDir>/<project>/<environment>` is what a release gets as `DATA_DIR`. */
  readonly dataDir: string;
  /** For unix sockets, so under 60 bytes long; this agent's alone. */
  readonly runtimeDir: string;
  readonly name: string;
  readonly version: string;
  readonly capacity: number;
  readonly sandbox: Sandbox;
  readonly allowUnsandboxed: boolean;
  /** Names this box, the same after a restart: what carries it and was not started by this life is ended. */
  readonly boxMarker: string;
  readonly clock?: Clock;
}

/** Its `stop` ends every release too. */
export async function startDeploymentAgent(o: DeploymentAgentOptions): Promise<RunningAgent> {
  const { stateDir, managerUrl, token } = o;
  const clock = o.clock ?? systemClock;
  const client = createClient({ baseUrl: managerUrl, token });
  const files = createReleaseFiles(stateDir);
  const runner = createReleaseRunner({
    target: createProcessTarget(o),
    files,
    boxMarker: o.boxMarker,
    fetchSettings: (run, signal) => fetchReleaseSettings({ client, clock, run, signal }),
  });
  await runner.endFormerLife();
  await clearLayOutDirectory(stateDir);

  let agent: RunningAgent | null = null;
  const warn = (message: string, data: object) => agent?.log('warn', message, data);
  const observations = createObservationSender({ client, clock, warn });
  const supervisor = createSupervisor({
    runner,
    files,
    clock,
    warn,
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
  const stopping = new AbortController();
  const following = followTopology({ client, clock, warn, signal: stopping.signal, apply: supervisor.apply });

  async function stopReleases(): Promise<void> {
    stopping.abort();
    await following;
    await supervisor.stop();
    observations.close();
  }

  try {
    agent = await startAgent({
      kind: 'deployment',
      name: o.name,
      version: o.version,
      capacity: o.capacity,
      warnings: o.sandbox.missing === null ? [] : [`no sandbox: ${o.sandbox.missing}`],
      managerUrl,
      token,
      stateDir,
      handlers: { deploy: createDeployHandler({ runner, supervisor, clock }) },
      clock,
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
