import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Event, StoryReport } from '@dbox/contracts';
import type { Figure } from './figures.ts';
import { percentile } from './figures.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const STORIES = 3;
const STATUS_CALLS = 7;
const SETTLE_MS = 15_000;
const IDLE_MS = 30_000;
const CLOCK_TICKS_PER_SECOND = 100;

/** What a person feels: from a story to its site, a command, and a box that has nothing to do. */
export async function measureBox(): Promise<Figure[]> {
  const workspace = await mkdtemp(join(tmpdir(), 'dbox-bench-'));
  const env = {
    DBOX_WORKSPACE: workspace,
    DBOX_PORT: String(await freePort()),
    DBOX_GATEWAY_PORT: String(await freePort()),
  };
  try {
    await dbox(env, ['up']);
    const elapsed: number[] = [];
    for (let n = 0; n < STORIES; n++) {
      const report = JSON.parse(
        await dbox(env, ['run', `Develop and run a blog site about topic ${n}`, '--json']),
      ) as StoryReport;
      if (report.story.status !== 'delivered') throw new Error(`story ${n} is ${report.story.status}`);
      elapsed.push(report.elapsedMs);
    }
    const handOffs = await handOffTimes(env);
    const calls: number[] = [];
    for (let n = 0; n < STATUS_CALLS; n++) {
      const startedMs = performance.now();
      await dbox(env, ['status']);
      calls.push(performance.now() - startedMs);
    }
    const idle = await idleCost(workspace);
    const budget = (name: string, value: number, unit: string, limit: number, aim: string): Figure => ({
      name,
      value,
      unit,
      beside: null,
      aim,
      met: value <= limit,
    });
    return [
      budget(
        'story to live site, template engine, median',
        percentile(elapsed, 0.5),
        'ms',
        3_000,
        '≤ 3000 ms',
      ),
      budget(
        'queued to leased in the working box, p50',
        percentile(handOffs, 0.5),
        'ms',
        Number.POSITIVE_INFINITY,
        '',
      ),
      budget('./dbox status, median', percentile(calls, 0.5), 'ms', 300, '< 300 ms'),
      budget(`idle box with ${STORIES} live sites, share of a core`, idle.cpuPercent, '%', 1, '≤ 1 %'),
      budget(`idle box with ${STORIES} live sites, resident memory`, idle.residentMb, 'MB', 200, '≤ 200 MB'),
    ];
  } finally {
    await dbox(env, ['down']);
    await rm(workspace, { recursive: true, force: true });
  }
}

/** From the transaction that queues a job to the one that leases it, all agents at work in the same process. */
async function handOffTimes(env: Record<string, string>): Promise<number[]> {
  const lines = (await dbox(env, ['events', '--json'])).trim().split('\n');
  const queuedAt = new Map<string, number>();
  const times: number[] = [];
  for (const line of lines) {
    const event = JSON.parse(line) as Event;
    if (event.type === 'job.queued') queuedAt.set(event.subject, Date.parse(event.at));
    if (event.type === 'job.leased' && queuedAt.has(event.subject))
      times.push(Date.parse(event.at) - queuedAt.get(event.subject)!);
  }
  if (times.length === 0) throw new Error('no job was leased');
  return times;
}

async function idleCost(workspace: string): Promise<{ cpuPercent: number; residentMb: number }> {
  const { pid } = JSON.parse(await readFile(join(workspace, 'box.json'), 'utf8')) as { pid: number };
  const ticks = async () => {
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  // What was delivered a moment ago is still being tidied up.
  await new Promise((wake) => setTimeout(wake, SETTLE_MS));
  const before = await ticks();
  await new Promise((wake) => setTimeout(wake, IDLE_MS));
  const used = (await ticks()) - before;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return {
    cpuPercent: (used / CLOCK_TICKS_PER_SECOND / (IDLE_MS / 1000)) * 100,
    residentMb: Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024,
  };
}

async function dbox(env: Record<string, string>, args: readonly string[]): Promise<string> {
  const { PATH, HOME } = process.env;
  const child = spawn(join(ROOT, 'dbox'), [...args], {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`dbox ${args.join(' ')} ended with ${code}`);
  return stdout;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
