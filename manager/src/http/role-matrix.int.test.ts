import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import {
  OPERATIONS,
  type OperationName,
  ROLES,
  ROUTES,
  type Role,
  type RouteContract,
} from '@dbox/contracts';
import type { Call, Handlers } from './handlers.ts';
import { JOB_ID, OTHER_JOB_ID, startTestServer } from './testing/test-server.ts';

/**
 * Who may do what, said a second time and by hand: a slip in the contract must not pass because the
 * server and its test both read it.
 */
const VIEW: readonly Role[] = ['viewer', 'operator', 'admin'];
const OPERATE: readonly Role[] = ['operator', 'admin'];
const AGENTS: readonly Role[] = ['agent:coding', 'agent:testing', 'agent:deployment', 'agent:monitoring'];
const DEPLOYMENT: readonly Role[] = ['agent:deployment'];
const EXPECTED: { readonly [K in OperationName]: readonly Role[] | 'anyone' } = {
  getHealth: 'anyone',
  getOpenApi: 'anyone',
  getMetrics: VIEW,
  getStatus: VIEW,
  submitStory: OPERATE,
  listStories: VIEW,
  getStory: VIEW,
  cancelStory: OPERATE,
  retryStory: OPERATE,
  listTasks: VIEW,
  getTask: VIEW,
  getTaskDiff: VIEW,
  cancelTask: OPERATE,
  retryTask: OPERATE,
  listProjects: VIEW,
  addProject: OPERATE,
  removeProject: ['admin'],
  getProjectBundle: VIEW,
  listSettings: VIEW,
  setSetting: OPERATE,
  removeSetting: OPERATE,
  getBackup: ['admin'],
  getReleaseSettings: DEPLOYMENT,
  reportUsage: DEPLOYMENT,
  rollBack: OPERATE,
  listReleases: VIEW,
  listIncidents: VIEW,
  listAgents: VIEW,
  listArtifacts: VIEW,
  getArtifact: VIEW,
  listEvents: VIEW,
  streamEvents: VIEW,
  verifyEvents: VIEW,
  readLogs: [...VIEW, 'agent:monitoring'],
  registerAgent: AGENTS,
  sendAgentLogs: AGENTS,
  leaseJob: AGENTS,
  heartbeatJob: ['job'],
  sendJobLogs: ['job'],
  reportProgress: ['job'],
  putArtifact: ['job'],
  getJobSource: ['job'],
  getJobAttachment: ['job'],
  putJobCommit: ['job'],
  completeJob: ['job'],
  followTopology: ['gateway', 'agent:deployment', 'agent:monitoring'],
  ackTopology: ['gateway'],
  reportTraffic: ['gateway'],
  getReleaseSource: DEPLOYMENT,
  observeRelease: DEPLOYMENT,
  sendReleaseLogs: DEPLOYMENT,
  reportWatch: ['agent:monitoring'],
};

const IDS: Readonly<Record<string, string>> = {
  storyId: 'st_0123456789',
  taskId: 'task-001',
  jobId: JOB_ID,
  project: 'blog',
  environment: 'dev',
  key: 'GREETING',
  releaseId: 'rel_0123456789',
  agentId: 'agt_0123456789',
  artifactId: 'art_0123456789',
  name: 'report.txt',
};
const QUERIES: { readonly [K in OperationName]?: string } = {
  listArtifacts: '?task=task-001',
  readLogs: '?subject=manager',
};
const BODIES: { readonly [K in OperationName]?: unknown } = {
  submitStory: { text: 'a blog' },
  rollBack: {},
  setSetting: { value: 'secret' },
  reportUsage: { releases: [] },
  registerAgent: { name: 'one', version: '1', capacity: 1, labels: [], warnings: [], kind: 'coding' },
  leaseJob: { agentId: IDS.agentId, kinds: ['code'], waitMs: 0 },
  reportProgress: { action: 'building' },
  completeJob: { kind: 'check', outcome: 'succeeded', checks: [] },
  ackTopology: { revision: 1, listeners: [] },
  reportTraffic: { startedAt: '2026-01-01T00:00:00.000Z', releases: [] },
  observeRelease: { type: 'stopped', releaseId: IDS.releaseId },
  reportWatch: { releaseId: IDS.releaseId, results: [] },
};

function requestOf(operation: OperationName): { method: string; path: string; init: RequestInit } {
  const [method, pattern] = OPERATIONS[operation];
  const contract: RouteContract = ROUTES[operation];
  const path =
    pattern.replaceAll(/:([a-zA-Z]+)/g, (_, key: string) => IDS[key]!) + (QUERIES[operation] ?? '');
  const type = { stream: 'application/octet-stream', lines: 'application/x-ndjson' };
  if (contract.body === undefined) return { method, path, init: {} };
  if (typeof contract.body === 'string') {
    return { method, path, init: { body: 'x', headers: { 'content-type': type[contract.body] } } };
  }
  const init = { body: JSON.stringify(BODIES[operation]), headers: { 'content-type': 'application/json' } };
  return { method, path, init };
}

function replyOf(operation: OperationName): unknown {
  const contract: RouteContract = ROUTES[operation];
  switch (contract.response) {
    case 'nothing':
      return undefined;
    case 'text':
      return 'text';
    case 'stream':
      return { body: Readable.from(['x']), mediaType: 'text/plain', sizeBytes: 1, fileName: null };
    case 'events':
      return (async function* () {})();
    default:
      return {};
  }
}

for (const operation of Object.keys(OPERATIONS) as OperationName[]) {
  test(`${operation} serves exactly the roles that may call it`, async (t) => {
    const served: Call<OperationName>['caller'][] = [];
    const handlers = {
      [operation]: async (call: Call<OperationName>) => {
        served.push(call.caller);
        return replyOf(operation);
      },
    } as Partial<Handlers>;
    const server = await startTestServer(t, handlers);
    const { method, path, init } = requestOf(operation);
    const allowed = EXPECTED[operation];

    async function expect(authorization: string | null, label: string, status: 'served' | 401 | 403) {
      served.length = 0;
      const response = await fetch(server.url + path, {
        ...init,
        method,
        headers: {
          ...(init.headers as Record<string, string>),
          ...(authorization === null ? {} : { authorization }),
        },
      });
      const text = await response.text();
      if (status === 'served') {
        assert.ok(response.ok, `${label}: ${response.status} ${text}`);
        assert.equal(served.length, 1, label);
      } else {
        assert.equal(response.status, status, `${label}: ${text}`);
        assert.equal(response.headers.get('content-type'), 'application/problem+json', label);
        assert.equal(served.length, 0, label);
      }
    }

    for (const role of ROLES) {
      const may = allowed === 'anyone' || allowed.includes(role);
      await expect(`Bearer ${server.token(role)}`, role, may ? 'served' : 403);
      if (may && allowed !== 'anyone') assert.equal(served[0]?.role, role);
    }
    const unknown = allowed === 'anyone' ? 'served' : 401;
    const jobToken = server.token('job');
    const forged = jobToken.slice(0, -1) + (jobToken.endsWith('0') ? '1' : '0');
    await expect(null, 'no token', unknown);
    await expect('Bearer garbage', 'garbage', unknown);
    await expect(`Basic ${server.token('admin')}`, 'another scheme', unknown);
    await expect(`Bearer ${server.token('admin').slice(0, -1)}`, 'a cut token', unknown);
    await expect(`Bearer ${forged}`, 'a forged job token', unknown);
    await expect(`Bearer ${jobToken.replace('_3_', '_4_')}`, 'a job token with another fence', unknown);
    const other = server.authenticator.signJobToken({ jobId: OTHER_JOB_ID, fence: 3 });
    await expect(`Bearer ${other}`, 'a token of another job', allowed === 'anyone' ? 'served' : 403);
  });
}

test('the contract says of each operation what this table says', () => {
  const said = Object.fromEntries(Object.entries(ROUTES).map(([operation, { roles }]) => [operation, roles]));
  assert.deepEqual(said, EXPECTED);
});
