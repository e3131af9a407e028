import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Clock, RunningAgent } from '@dbox/agent-sdk';
import { type FakeFiles, type FakeManager, startFakeManager } from '@dbox/agent-sdk/testing';
import type {
  Check,
  Criterion,
  DeployPayload,
  DesiredRelease,
  HttpCriterion,
  RunPlan,
} from '@dbox/contracts';
import { endMarked, findToolchain, openSandbox, type Sandbox } from '@dbox/sandbox';
import { startDeploymentAgent } from '../start-deployment-agent.ts';
import { createProcessTarget } from '../targets/process-target.ts';
import type { DeploymentTarget } from '../targets/target.ts';

export const RELEASE = 'rel_0000000001';
export const NODE_APP: RunPlan = { kind: 'command', build: null, run: 'node app.js', from: 'dbox.yaml' };

const toolchain = await findToolchain();
export const sandbox = await openSandbox({ toolchain });
export const unsandboxed = await openSandbox({ toolchain, allowNone: true });

/** Answers at once, ends itself on /exit, tells one process from another on /life. */
export const GOOD_APP = `
const { createServer } = require('node:http');
const life = require('node:crypto').randomUUID();
console.log('app started');
createServer((req, res) => {
  if (req.url === '/exit') process.exit(3);
  if (req.url === '/hang') return;
  res.end(req.url === '/life' ? life : 'hello');
}).listen(Number(process.env.PORT), '127.0.0.1');
`;

export interface AgentBench {
  readonly manager: FakeManager;
  readonly dir: string;
  readonly boxMarker: string;
  readonly start: (more?: {
    readonly sandbox?: Sandbox;
    readonly allowUnsandboxed?: boolean;
    readonly clock?: Clock;
    readonly target?: DeploymentTarget;
    readonly readyTimeoutMs?: number;
  }) => Promise<RunningAgent>;
  /** A commit of these files and the payload that deploys it. */
  readonly payload: (files: FakeFiles, more?: Partial<DeployPayload>) => Promise<DeployPayload>;
  /** How many copies of \`node app.js\` of this box run on the host. */
  readonly countApps: () => Promise<number>;
}

export async function openAgentBench(t: TestContext): Promise<AgentBench> {
  const dir = await mkdtemp(join(tmpdir(), 'deploy-'));
  const boxMarker = `test-${dir.split('-').at(-1)}`;
  const manager = await startFakeManager();
  const agents: RunningAgent[] = [];
  t.after(async () => {
    for (const agent of agents) await agent.stop({ graceMs: 0 });
    await endMarked(boxMarker);
    await manager.stop();
    await rm(dir, { recursive: true, force: true });
  });
  return {
    manager,
    dir,
    boxMarker,
    async start(more = {}) {
      const agent = await startDeploymentAgent(agentOptions({ ...manager, ...more, dir, boxMarker }));
      agents.push(agent);
      return agent;
    },
    async payload(files, more = {}) {
      const commit = await manager.repository.commit({ files });
      return {
        kind: 'deploy',
        releaseId: RELEASE,
        project: 'demo',
        environment: 'dev',
        commit,
        runPlan: NODE_APP,
        settingsVersion: 0,
        image: null,
        checks: [],
        trigger: 'task',
        trusted: false,
        ...more,
      };
    },
    countApps: async () => (await findApps(boxMarker)).length,
  };
}

export function agentOptions(o: {
  readonly url: string;
  readonly token: string;
  readonly dir: string;
  readonly boxMarker: string;
  readonly sandbox?: Sandbox;
  readonly allowUnsandboxed?: boolean;
  readonly clock?: Clock;
  readonly target?: DeploymentTarget;
  readonly readyTimeoutMs?: number;
}) {
  const { dir, boxMarker, clock, readyTimeoutMs, target } = o;
  return {
    managerUrl: o.url,
    token: o.token,
    stateDir: join(dir, 'state'),
    name: 'deployer',
    version: '0',
    capacity: 2,
    target:
      target ??
      createProcessTarget({
        dataDir: join(dir, 'data'),
        runtimeDir: join(dir, 'run'),
        sandbox: o.sandbox ?? sandbox,
        allowUnsandboxed: o.allowUnsandboxed ?? false,
      }),
    boxMarker,
    ...(readyTimeoutMs === undefined ? {} : { readyTimeoutMs }),
    ...(clock ? { clock } : {}),
  };
}

export function desired(payload: DeployPayload, more: Partial<DesiredRelease> = {}): DesiredRelease {
  const { kind: _, checks: __, trigger: ___, ...release } = payload;
  return { ...release, state: 'live', generation: 0, ...more };
}

export function check(criterion: Criterion, id = 'chk_000000000001'): Check {
  return { id, project: 'demo', taskId: 'task-001', criterion, status: 'proposed' };
}

export function address(path: string, more: Partial<HttpCriterion> = {}): HttpCriterion {
  return {
    kind: 'http',
    path,
    method: 'GET',
    headers: {},
    body: null,
    statuses: [200],
    contains: [],
    matches: [],
    json: {},
    maxLatencyMs: null,
    ...more,
  };
}

/** Time that runs so many times faster, for what is about minutes. */
export function fastClock(times: number): Clock {
  return {
    now: () => Date.now(),
    monotonicMs: () => performance.now() * times,
    sleep(ms, signal) {
      if (signal?.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, ms / times);
        signal?.addEventListener('abort', done, { once: true });
      });
    },
  };
}

async function findApps(boxMarker: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [environment, command] = await Promise.all(
      ['environ', 'cmdline'].map((file) => readFile(`/proc/${name}/${file}`, 'latin1').catch(() => '')),
    );
    const isOurs = environment?.split('\0').some((entry) => entry.startsWith(`DBOX_MARKER=${boxMarker}`));
    if (isOurs && command?.split('\0').slice(0, 2).join(' ') === 'node app.js') found.push(Number(name));
  }
  return found;
}
