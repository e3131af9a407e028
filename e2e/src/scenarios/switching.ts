import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Event, Release, StoryReport } from '@dbox/contracts';
import type { Box } from '../box.ts';
import { until } from '../box.ts';
import { readEvents } from '../ledger-checks.ts';
import { chattyService } from '../load/chatty-service.ts';
import {
  failureCount,
  type HttpLoad,
  type LoadReport,
  latencyAt,
  type Sample,
  startHttpLoad,
} from '../load/http-load.ts';
import { connectVisitor, type WebSocketVisitor } from '../load/web-socket-clients.ts';
import { recordTasks } from '../recorded-task.ts';
import { BOTH, deliver, devOf, type Scenario, showTask } from '../scenario.ts';

/** What is measured here must not share the machine's attention with other scenarios of the same box. */
const ALONE = { modes: BOTH, stack: 'switching', env: { DBOX_READY_TIMEOUT_MS: '3000' } };
const REQUESTS_PER_SECOND = 300;
const HOME = '  - url: http://devsite:8080\n  - should_respond: 200\n';
const SWITCHES = 8;
/**
 * Every figure is told as it was measured and held against what must hold on a calm machine; a busy one
 * is given so many times that, so that a red scenario means a fault and not a neighbour.
 */
const BUSY = 4;
/** Half a second is for a calm machine, where a bare crash takes 50 ms, and 300 ms in a container. */
const CRASHES_IN_A_REFUSAL = { process: 10, docker: 2 };

/** Fails `every`-th request of a visitor to `/shop`, and no check. */
const SICK_SHOP = `let count = 0;
globalThis.answer = (request, response) => {
  if (request.url !== '/shop' || count++ % 2) return false;
  request.resume();
  response.statusCode = 500;
  response.end('sick');
  return true;
};`;

export const eightSwitches: Scenario = {
  ...ALONE,
  name: 'eight switches in a row and one rollback at 300 requests a second fail no request and drop no WebSocket',
  async run(box) {
    await box.ok(['up']);
    const project = 'switches';
    const first = await offer(box, project, 0);
    const visitors: WebSocketVisitor[] = [];
    const load = visit(first.url!);
    visitors.push(await connectVisitor(first.url!));
    for (let n = 1; n <= SWITCHES; n++) {
      await offer(box, project, n);
      visitors.push(await connectVisitor(first.url!));
    }
    const greetings = visitors.map((visitor) => visitor.greeting);
    assert.deepEqual(
      greetings,
      greetings.map((_, n) => `version ${n}`),
      'each stays with the release it was opened on',
    );
    const eighth = await releaseBefore(box, project);
    await box.ok(['rollback', '--project', project]);
    await until('the rollback has settled', async () => (await devOf(box, project)).release!.id === eighth);
    const rollbackMs = await timeOfRollback(box, eighth);
    const last = visitors.pop()!;
    await allAnswer(visitors);
    const report = await load.stop();
    assert.equal(failureCount(report), 0, tell(report));
    // A release that is rolled back is let go of soon, and says so.
    assert.equal(await last.closed, 1001);
    await allAnswer(visitors);
    for (const visitor of visitors) visitor.close();
    const versions = new Set(report.samples.map((sample) => sample.body));
    assert.equal(versions.size, SWITCHES + 1);
    console.log(
      `     ${tell(report)}, ${visitors.length} WebSockets alive; rollback by hand, with its smoke test: ${rollbackMs} ms`,
    );
  },
};

export const badHalf: Scenario = {
  ...ALONE,
  name: 'a release that answers half its visitors with 500 loses the traffic within a second of its first 500',
  async run(box) {
    await box.ok(['up']);
    const project = 'half';
    const first = await offer(box, project, 0);
    const good = (await devOf(box, project)).release!.id;
    const load = visit(`${first.url!}/shop`);
    await deliver(box, project, [
      { id: `${project}-1`, attempts: [chattyService('1', SICK_SHOP)], acceptance: HOME },
    ]);
    await until(
      'the good release serves again',
      async () => (await devOf(box, project)).release?.id === good,
    );
    const report = await load.stop();
    const bad = report.samples.filter((sample) => sample.failure !== null);
    assert.ok(bad.length >= 5, 'it did have visitors');
    assert.deepEqual(
      bad.filter((sample) => sample.failure !== '5xx'),
      [],
      'and nothing else failed',
    );
    const ends = bad.map((sample) => sample.atMs + sample.latencyMs);
    const sickForMs = Math.max(...ends) - Math.min(...ends);
    console.log(`     ${tell(report)}: first to last 500 ${sickForMs.toFixed(0)} ms`);
    assert.ok(sickForMs <= BUSY * 1_000, `from the first to the last 500 it took ${sickForMs} ms`);
    assert.equal((await showTask(box, `${project}-1`)).status, 'rolled_back');
    const { incidents } = await box.json<{
      incidents: { project: string; detail: string; actions: { action: string }[] }[];
    }>(['incidents']);
    const own = incidents.filter((incident) => incident.project === project);
    assert.equal(own.length, 1);
    assert.match(
      own[0]!.detail,
      /\d+ of \d+ requests of visitors failed .* of the release before it 0 of \d+/,
    );
    assert.deepEqual(
      own[0]!.actions.map((one) => one.action),
      ['rollback'],
    );
    const { releases } = await box.json<{ releases: Release[] }>(['releases', '--project', project]);
    assert.deepEqual(
      releases.map((release) => release.status),
      ['rolled_back', 'live'],
    );
  },
};

export const crashAtStart: Scenario = {
  ...ALONE,
  name: 'a release that crashes at start is refused within half a second, and the old one serves throughout',
  async run(box) {
    const { report, refusedMs, crashMs } = await refuse(box, 'crash', "throw new Error('cannot start');");
    const limitMs = Math.max(BUSY * 500, CRASHES_IN_A_REFUSAL[box.stack ? 'docker' : 'process'] * crashMs);
    console.log(
      `     ${tell(report)}: refused after ${refusedMs} ms (a bare crash ${crashMs.toFixed(0)} ms)`,
    );
    assert.ok(refusedMs <= limitMs, `it took ${refusedMs} ms`);
  },
};

export const neverReady: Scenario = {
  ...ALONE,
  name: 'a release that never gets ready is refused at its deadline, and the old one serves throughout',
  async run(box) {
    const { report, refusedMs } = await refuse(
      box,
      'silent',
      'await new Promise((never) => setTimeout(never, 1e8));',
    );
    console.log(`     ${tell(report)}: refused after ${refusedMs} ms`);
    assert.ok(refusedMs >= 3_000 && refusedMs <= 3_000 + BUSY * 1_000, `it took ${refusedMs} ms`);
  },
};

export const killedRelease: Scenario = {
  ...ALONE,
  name: 'a release that is killed under its visitors is back within seconds, and they are told when to come again',
  async run(box) {
    await box.ok(['up']);
    const suicidal =
      "globalThis.answer = (request) => { if (request.url === '/die') process.kill(process.pid, 'SIGKILL'); return request.url === '/die'; };";
    const project = 'killed';
    const first = await deliver(box, project, [
      { id: `${project}-0`, attempts: [chattyService('0', suicidal)], acceptance: HOME },
    ]);
    const load = visit(first.url!);
    await until('visitors come', () => load.samples.length > 100);
    await fetch(`${first.url!}/die`).catch(() => null);
    const isBad = (sample: Sample) => sample.failure !== null;
    await until('some of them failed', () => load.samples.some(isBad));
    await until('and it serves again', () => load.samples.slice(-50).every((sample) => !isBad(sample)));
    const report = await load.stop();
    const bad = report.samples.filter(isBad);
    // Whoever's connection was broken in the middle of an answer sees just that.
    const told = bad.filter((sample) => sample.status === 502 && sample.retryAfter !== null);
    const ends = bad.map((sample) => sample.atMs + sample.latencyMs);
    const awayMs = Math.max(...ends) - Math.min(...ends);
    console.log(
      `     ${tell(report)}: away for ${awayMs.toFixed(0)} ms, ${told.length} of ${bad.length} told to come again`,
    );
    assert.ok(awayMs <= BUSY * 5_000, `it was away for ${awayMs} ms`);
    const broken = bad.filter((sample) => sample.failure === 'reset');
    assert.equal(told.length, bad.length - broken.length);
    assert.ok(broken.length <= REQUESTS_PER_SECOND / 20, `${broken.length} were broken off`);
  },
};

function visit(url: string): HttpLoad {
  return startHttpLoad({ url, requestsPerSecond: REQUESTS_PER_SECOND, postEvery: 10 });
}

function offer(box: Box, project: string, n: number): Promise<StoryReport> {
  return deliver(box, project, [
    { id: `${project}-${n}`, attempts: [chattyService(String(n))], acceptance: HOME },
  ]);
}

/** Offers a bad release beside a good one under load. */
async function refuse(
  box: Box,
  project: string,
  fault: string,
): Promise<{ report: LoadReport; refusedMs: number; crashMs: number }> {
  await box.ok(['up']);
  const first = await offer(box, project, 0);
  const good = (await devOf(box, project)).release!.id;
  const load = visit(first.url!);
  const task = {
    attempts: [chattyService('1', fault)],
    acceptance: HOME,
    more: 'constraints: {max_attempts: 1}',
  };
  const file = await recordTasks(box.directory, [{ id: `${project}-1`, ...task }]);
  await box.json<StoryReport>(['story', '-f', file, '--project', project, '--follow'], 1);
  const crashMs = await timeOfCrash(box);
  const report = await load.stop();
  assert.equal(failureCount(report), 0, tell(report));
  assert.equal((await devOf(box, project)).release!.id, good);
  const { attempts } = await showTask(box, `${project}-1`);
  assert.match(attempts[0]!.verdict!.summary, /the release was refused while starting/);
  return { report, crashMs, refusedMs: await timeToRefusal(box, project) };
}

/** What the machine, as busy as it is now, needs for a program that does nothing but crash. */
async function timeOfCrash(box: Box): Promise<number> {
  const [program, ...args] = box.stack
    ? ['docker', 'run', '--rm', '--init', '--network=none', 'node:24-bookworm-slim', 'node', '-e', 'throw 1']
    : [process.execPath, '-e', 'throw 1'];
  const startedMs = performance.now();
  await once(spawn(program!, args, { stdio: 'ignore' }), 'exit');
  return performance.now() - startedMs;
}

/** From the moment the release was started to the moment it was refused. */
async function timeToRefusal(box: Box, project: string): Promise<number> {
  const own = (await readEvents(box)).filter((event) => event.data.project === project);
  const refused = own.find((event) => event.type === 'release.refused');
  const started = own.find(
    (event: Event) => event.type === 'release.starting' && event.subject === refused?.subject,
  );
  if (!refused || !started) throw new Error('no release was refused');
  return Date.parse(refused.at) - Date.parse(started.at);
}

async function timeOfRollback(box: Box, to: string): Promise<number> {
  const own = (await readEvents(box)).filter((event) => event.subject === `release/${to}`);
  const atMs = (type: string) => Date.parse(own.findLast((event) => event.type === type)!.at);
  return atMs('release.live') - atMs('rollback.started');
}

async function releaseBefore(box: Box, project: string): Promise<string> {
  const { releases } = await box.json<{ releases: Release[] }>(['releases', '--project', project]);
  const former = releases.find((release) => release.status === 'superseded');
  if (!former) throw new Error(`no earlier release of ${project}`);
  return former.id;
}

/** Each is asked again and answers. */
async function allAnswer(visitors: readonly WebSocketVisitor[]): Promise<void> {
  const before = visitors.map((visitor) => visitor.answered);
  await until('every WebSocket is answered', () => {
    for (const visitor of visitors) {
      assert.equal(visitor.closedWith, null, `the one of ${visitor.greeting} was closed`);
    }
    return visitors.every((visitor, index) => visitor.answered > before[index]!);
  });
}

function tell(report: LoadReport): string {
  const kinds = Object.entries(report.failures).filter(([, count]) => count > 0);
  const failed = kinds.map(([kind, count]) => `${count} ${kind}`).join(', ') || 'none';
  const latency = (share: number) => latencyAt(report, share).toFixed(1);
  return `${report.requests} requests, failed: ${failed}; p50 ${latency(0.5)} ms, p99 ${latency(0.99)} ms, longest ${latency(1)} ms`;
}
