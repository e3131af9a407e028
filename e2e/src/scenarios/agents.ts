import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client, CodePayload, Lease, TestJobResult } from '@dbox/contracts';
import { LEASE_DURATION_MS, MAX_ARTIFACT_BYTES, ProblemError } from '@dbox/contracts';
import type { Box } from '../box.ts';
import { until } from '../box.ts';
import { findDoubles, readEvents } from '../ledger-checks.ts';
import { page, recordTasks } from '../recorded-task.ts';
import type { Scenario } from '../scenario.ts';
import { BOTH, showTask } from '../scenario.ts';
import { connectTo } from '../soak/box-client.ts';

/** More than the box's own coding agent asks for at a time, so that one is left for an agent made by hand. */
const TASKS = ['one', 'two', 'three', 'four'] as const;

export const slowAgent: Scenario = {
  name: 'an agent that falls silent loses its job within 15 s; its late result is refused and writes nothing',
  async run(box) {
    await box.ok(['up']);
    const silent = await standInLine(box, 'silent', 1);
    const successor = await standInLine(box, 'successor', TASKS.length + 2);
    await submitTasks(box);
    await until('the silent agent has a job', () => silent.leases.length > 0);
    const held = silent.leases[0]!;
    const { id } = held.job;
    // While it may: what its bundle stands on comes from the manager.
    const bundle = await makeBundle(box, held, { onTop: true });
    const leasedAtMs = async (fence: number) => {
      const leased = (await readEvents(box)).find(
        (one) => one.type === 'job.leased' && one.subject === `job/${id}` && one.data.fence === fence,
      );
      return leased ? Date.parse(leased.at) : null;
    };
    // It stands in line since before the box's own agent came back for more, so it is the next.
    const isTaken = () => successor.leases.some((lease) => lease.job.id === id && lease.lease.fence === 2);
    await until('the successor has the job', isTaken, 20_000);
    const heldMs = (await leasedAtMs(2))! - (await leasedAtMs(1))!;
    assert.ok(heldMs <= 15_000, `the silent agent held the job for ${heldMs} ms`);
    assert.ok(heldMs >= LEASE_DURATION_MS, `its lease was taken after ${heldMs} ms already`);

    const late = await jobClient(box, held);
    const before = (await readEvents(box)).length;
    await refuses('lease_gone', late.call('putJobCommit', { params: { jobId: id }, rawBody: bundle }));
    await refuses('lease_gone', late.call('heartbeatJob', { params: { jobId: id } }));
    await refuses(
      'lease_gone',
      late.call('completeJob', { params: { jobId: id }, body: success('a'.repeat(40)) }),
    );
    await refuses('lease_gone', putArtifact(late, id, Buffer.from('late')));
    await refuses('lease_gone', late.raw('getJobSource', { params: { jobId: id } }));
    const after = (await readEvents(box)).slice(before);
    assert.deepEqual(
      after.filter((one) => one.actor === `agent/${held.job.agentId}`),
      [],
      'what came late left no event',
    );

    await giveAllBack(box, successor);
    await allDelivered(box);
    const task = await showTask(box, held.job.taskId!);
    assert.equal(task.attemptCount, 1, 'a lost lease uses no attempt');
    assert.deepEqual(findDoubles(await readEvents(box)), []);
  },
};

export const lyingAgent: Scenario = {
  name: 'an agent that lies about commits, artifacts or whose job it is gets nowhere',
  modes: BOTH,
  stack: 'stories',
  env: { DBOX_LEASE_MS: '60000' },
  async run(box) {
    await box.ok(['up']);
    const lying = await standInLine(box, 'lying', TASKS.length);
    await submitTasks(box);
    await until('it has two jobs', () => lying.leases.length >= 2);
    const [held, other] = lying.leases as [Lease, Lease];
    const { id } = held.job;
    const liar = await jobClient(box, held);
    await refuses(
      'conflict',
      liar.call('completeJob', { params: { jobId: id }, body: success('a'.repeat(40)) }),
    );
    const unrelated = await makeBundle(box, held, { onTop: false });
    await refuses('bundle_refused', liar.call('putJobCommit', { params: { jobId: id }, rawBody: unrelated }));
    const noBundle = 'this is no bundle';
    await refuses('bundle_refused', liar.call('putJobCommit', { params: { jobId: id }, rawBody: noBundle }));
    await refuses(
      'artifact_mismatch',
      putArtifact(liar, id, Buffer.from('true'), { hashOf: Buffer.from('false') }),
    );
    await refuses('payload_too_large', putArtifact(liar, id, Buffer.alloc(MAX_ARTIFACT_BYTES + 1)));
    await refuses('invalid_request', putArtifact(liar, id, Buffer.from('x'), { name: '..%2fescape' }));
    await refuses(
      'invalid_request',
      liar.call('completeJob', { params: { jobId: id }, body: testSuccess() }),
    );
    await refuses('forbidden', liar.call('heartbeatJob', { params: { jobId: other.job.id } }));
    await refuses('forbidden', liar.call('getStatus'));
    await refuses('forbidden', lying.client.call('submitStory', { body: { text: 'x' } }));
    await refuses(
      'forbidden',
      lying.client.call('completeJob', { params: { jobId: id }, body: success('a'.repeat(40)) }),
    );
    await refuses(
      'forbidden',
      lying.client.call('leaseJob', { body: { agentId: lying.agentId, kinds: ['deploy'], waitMs: 0 } }),
    );
    await refuses(
      'unauthenticated',
      liar.withToken(forgedFence(held)).call('heartbeatJob', { params: { jobId: id } }),
    );
    const written = (await readEvents(box)).filter(
      (one) => /^(commit|artifact|attempt)\./.test(one.type) && one.subject === `job/${id}`,
    );
    assert.deepEqual(written, [], 'no lie was written down as a deed');

    // The truth is taken: the very same agent may still do its work.
    const honest = await makeBundle(box, held, { onTop: true });
    const { commit } = (await liar.call('putJobCommit', { params: { jobId: id }, rawBody: honest }))!;
    await liar.call('completeJob', { params: { jobId: id }, body: success(commit) });
    const again = await liar.call('completeJob', { params: { jobId: id }, body: success(commit) });
    assert.equal(again!.job.status, 'succeeded', 'a repeat of the same result is answered alike');
    await refuses(
      'lease_gone',
      liar.call('completeJob', { params: { jobId: id }, body: success('b'.repeat(40)) }),
    );
    await giveAllBack(box, lying);
    await allDelivered(box);
    assert.deepEqual(findDoubles(await readEvents(box)), []);
  },
};

interface HandMadeAgent {
  readonly client: Client;
  readonly agentId: string;
  /** What it was given so far. */
  readonly leases: readonly Lease[];
  leave(): void;
}

/** A coding agent made by hand, with this many polls outstanding; it beats for none of its jobs. */
async function standInLine(box: Box, name: string, polls: number): Promise<HandMadeAgent> {
  const client = await connectTo(box, 'agent-coding');
  const hello = { kind: 'coding' as const, name, version: '0', capacity: polls, labels: [], warnings: [] };
  const { agentId } = (await client.call('registerAgent', { body: hello }))!;
  const leaving = new AbortController();
  const leases: Lease[] = [];
  for (let n = 0; n < polls; n += 1) {
    const body = { agentId, kinds: ['code' as const], waitMs: 30_000 };
    client.call('leaseJob', { body, signal: leaving.signal }).then(
      (lease) => lease && leases.push(lease),
      () => undefined,
    );
  }
  return { client, agentId, leases, leave: () => leaving.abort() };
}

async function submitTasks(box: Box): Promise<void> {
  const file = await recordTasks(
    box.directory,
    TASKS.map((id) => ({
      id,
      attempts: [{ ...page('agents'), [`${id}.txt`]: id }],
      acceptance: `  - url: /${id}.txt\n`,
    })),
  );
  await box.ok(['story', '-f', file, '--project', 'agents']);
}

/** So that nobody has to wait until its leases are over. */
async function giveAllBack(box: Box, agent: HandMadeAgent): Promise<void> {
  agent.leave();
  const failed = {
    kind: 'code',
    outcome: 'failed',
    engine: 'scripted',
    cause: 'host',
    detail: 'left',
  } as const;
  for (const lease of agent.leases) {
    const client = await jobClient(box, lease);
    await client
      .call('completeJob', { params: { jobId: lease.job.id }, body: failed })
      .catch((error: unknown) => {
        if (!(error instanceof ProblemError && error.code === 'lease_gone')) throw error;
      });
  }
}

async function jobClient(box: Box, { lease }: Lease): Promise<Client> {
  return (await connectTo(box)).withToken(lease.token);
}

/** A commit as a coder would make it; or one that has nothing to do with where it should have started. */
async function makeBundle(
  box: Box,
  held: Lease,
  o: { readonly onTop: boolean },
): Promise<Uint8Array<ArrayBuffer>> {
  const tree = join(box.directory, o.onTop ? 'on-top' : 'unrelated');
  await mkdir(tree);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=agent', '-c', 'user.email=agent@localhost', ...args], {
      cwd: tree,
      stdio: 'pipe',
    });
  git('init', '-q', '-b', 'dbox');
  const { startCommit, task } = held.payload as CodePayload;
  if (o.onTop && startCommit !== null) {
    const source = await (await jobClient(box, held)).raw('getJobSource', { params: { jobId: held.job.id } });
    await writeFile(join(tree, '..', 'source.bundle'), new Uint8Array(await source.arrayBuffer()));
    git('fetch', '-q', join(tree, '..', 'source.bundle'), '+refs/heads/*:refs/source/*');
    git('reset', '-q', '--hard', startCommit);
  }
  for (const [path, text] of Object.entries({ ...page('agents'), [`${task.id}.txt`]: task.id }))
    await writeFile(join(tree, path), text);
  git('add', '.');
  git('commit', '-q', '--allow-empty', '-m', 'by hand');
  const range = o.onTop && startCommit !== null ? [`^${startCommit}`] : [];
  git('bundle', 'create', '-q', 'out.bundle', 'refs/heads/dbox', ...range);
  return new Uint8Array(await readFile(join(tree, 'out.bundle')));
}

function success(commit: string) {
  return { kind: 'code', outcome: 'succeeded', engine: 'scripted', commit, summary: 'by hand' } as const;
}

function testSuccess(): TestJobResult {
  return { kind: 'test', outcome: 'succeeded', tests: [], checks: [], changedTestFiles: [] };
}

function putArtifact(
  client: Client,
  jobId: string,
  bytes: Buffer<ArrayBuffer>,
  o: { readonly hashOf?: Buffer; readonly name?: string } = {},
): Promise<unknown> {
  const sha256 = createHash('sha256')
    .update(o.hashOf ?? bytes)
    .digest('hex');
  return client.call('putArtifact', {
    params: { jobId, name: o.name ?? 'file.bin' },
    rawBody: bytes,
    headers: { 'x-content-sha256': sha256 },
  });
}

/** The token of the lease after this one, as somebody would guess it. */
function forgedFence({ lease }: Lease): string {
  const end = lease.token.at(-1)!;
  return `${lease.token.slice(0, -1)}${end === 'a' ? 'b' : 'a'}`;
}

async function refuses(code: string, call: Promise<unknown>): Promise<void> {
  const problem = await call.then(
    () => null,
    (error: unknown) => error,
  );
  assert.ok(problem instanceof ProblemError, `should be refused as ${code}, not: ${String(problem)}`);
  assert.equal(problem.code, code, problem.message);
}

async function allDelivered(box: Box): Promise<void> {
  await until('all tasks are delivered', async () => {
    const statuses = await Promise.all(TASKS.map(async (id) => (await showTask(box, id)).status));
    return statuses.every((one) => one === 'deployed');
  });
}
