import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Event, StoryReport } from '@dbox/contracts';
import { measureBareReleases, trivialServer } from './bare-engine.ts';
import type { Figure } from './figures.ts';
import { percentile } from './figures.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const RELEASES = 7;
const BARE_ROUNDS = 4;
const PORTS = 20;
/** What was delivered a moment ago is still being tidied up. */
const SETTLE_MS = 20_000;
const STEPS = [
  'commit.received',
  'release.queued',
  'release.building',
  'release.starting',
  'release.smoking',
  'release.baking',
  'release.live',
];
/** Between two steps each. */
const PHASES = [
  'the coder ends',
  'the deployer takes it',
  'build',
  'create, start, answer',
  'smoke test',
  'route',
];
const MEMORY_LIMITS_MB = {
  manager: 150,
  'coding-agent': 100,
  'testing-agent': 100,
  'deployment-agent': 100,
  'monitoring-agent': 100,
};

/** The box as containers: how soon it is up, how soon a commit is live in it, and what it costs idle. */
export async function measureStack(note: (text: string) => void): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'dbox-bench-'));
  const name = `dbox-bench-${randomBytes(3).toString('hex')}`;
  const env = {
    DBOX_MODE: 'docker',
    DBOX_WORKSPACE: join(directory, 'workspace'),
    DBOX_BOX_NAME: name,
    DBOX_PORT: String(await freePort()),
    DBOX_GATEWAY_PORT: String(await freePort()),
    DBOX_GATEWAY_PORT_COUNT: String(PORTS),
  };
  try {
    note('the stack, with whatever has to be built first …');
    await dbox(env, ['up']);
    await dbox(env, ['down']);
    const startedMs = performance.now();
    await dbox(env, ['up']);
    const upSeconds = (performance.now() - startedMs) / 1000;

    note('bare releases through the engine, and the stack’s own …');
    const bare = await measureBareReleases(BARE_ROUNDS);
    const ours = await releaseTimes(env, directory);
    bare.push(...(await measureBareReleases(BARE_ROUNDS)));
    const [value, floor] = [percentile(ours.whole, 0.5), percentile(bare, 0.5)];

    note('the idle stack …');
    await new Promise((wake) => setTimeout(wake, SETTLE_MS));
    return [
      {
        name: 'stack up, warm',
        value: upSeconds,
        unit: 's',
        beside: null,
        aim: '≤ 20 s',
        met: upSeconds <= 20,
      },
      {
        name: 'commit to live, trivial app in a container, median',
        value,
        unit: 'ms',
        beside: { name: 'build, create, start, answer through the API', value: floor },
        aim: '≤ 1.5 ×',
        met: value <= 1.5 * floor,
      },
      ...Object.entries(ours.phases).map(([phase, times]) => ({
        name: `of that: ${phase}`,
        value: percentile(times, 0.5),
        unit: 'ms',
        beside: null,
        aim: '',
        met: true,
      })),
      ...(await memoryOf(name)),
    ];
  } finally {
    await dbox(env, ['down', '--volumes', `--confirm=${name}`]).catch((error) => note(String(error)));
    await rm(directory, { recursive: true, force: true });
  }
}

/** From the transaction that takes a commit in to the one in which it is live: addresses are its only evidence. */
async function releaseTimes(
  env: Record<string, string>,
  directory: string,
): Promise<{ whole: number[]; phases: Record<string, number[]> }> {
  for (let n = 0; n <= RELEASES; n++) {
    const attempt = `attempt-${n}`;
    await mkdir(join(directory, attempt));
    await writeFile(join(directory, attempt, 'server.mjs'), trivialServer(String(n)));
    await writeFile(join(directory, attempt, 'dbox.yaml'), 'run: node server.mjs\n');
    const spec = join(directory, `bench-${n}.yaml`);
    await writeFile(
      spec,
      `id: bench-${n}\ntitle: Bench ${n}\ninputs:\n  - type: scripted\n    attempts: [${attempt}]\nacceptance:\n  - url: http://devsite:8080\n  - should_respond: 200\n`,
    );
    const told = await dbox(env, ['story', '-f', spec, '--project', 'bench', '--follow', '--json']);
    const { story } = JSON.parse(told) as StoryReport;
    if (story.status !== 'delivered') throw new Error(`release ${n} is ${story.status}: ${story.reason}`);
  }
  const events = (await dbox(env, ['events', '--json']))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
  const atOf = (type: string) =>
    events.filter((event) => event.type === type).map((event) => Date.parse(event.at));
  const steps = STEPS.map(atOf);
  if (steps.some((step) => step.length !== RELEASES + 1))
    throw new Error('not every release went all the way');
  // The first build brings the base in.
  const between = (from: number, to: number) =>
    steps[to]!.map((atMs, index) => atMs - steps[from]![index]!).slice(1);
  const phases = PHASES.map((phase, index) => [phase, between(index, index + 1)] as const);
  return { whole: between(0, STEPS.length - 1), phases: Object.fromEntries(phases) };
}

/** As the engine counts it for the whole container: without the file cache that it could give up. */
async function memoryOf(project: string): Promise<Figure[]> {
  const rows = await docker([
    'ps',
    '--filter',
    `label=com.docker.compose.project=${project}`,
    '--format',
    '{{.ID}} {{.Label "com.docker.compose.service"}}',
  ]);
  const figures: Figure[] = [];
  for (const row of rows.trim().split('\n').sort()) {
    const [id = '', service = ''] = row.split(' ');
    const usage = (await docker(['stats', '--no-stream', '--format', '{{.MemUsage}}', id])).split(' / ')[0]!;
    const resident = (await docker(['top', id, '-o', 'pid,rss'])).trim().split('\n').slice(1);
    const rssMb = resident.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[1]), 0) / 1024;
    const value = megabytes(usage);
    const limit = MEMORY_LIMITS_MB[service as keyof typeof MEMORY_LIMITS_MB];
    figures.push({
      name: `idle stack, ${service}, memory`,
      value,
      unit: 'MB',
      beside: { name: 'resident, with what processes share', value: rssMb },
      aim: limit === undefined ? '' : `≤ ${limit} MB`,
      met: limit === undefined || value <= limit,
    });
  }
  return figures;
}

function megabytes(text: string): number {
  const [, number, unit] = /^([\d.]+)\s*(KiB|MiB|GiB|B)$/.exec(text.trim()) ?? [];
  const scale = { B: 1 / 1_048_576, KiB: 1 / 1_024, MiB: 1, GiB: 1_024 }[unit ?? ''];
  if (scale === undefined) throw new Error(`the engine says "${text}"`);
  return Number(number) * scale;
}

async function docker(args: readonly string[]): Promise<string> {
  return (await promisify(execFile)('docker', [...args])).stdout;
}

async function dbox(env: Record<string, string>, args: readonly string[]): Promise<string> {
  const { PATH, HOME, HTTPS_PROXY, HTTP_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS } = process.env;
  const child = spawn(join(ROOT, 'dbox'), [...args], {
    env: { PATH, HOME, HTTPS_PROXY, HTTP_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2_000);
  });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`dbox ${args.join(' ')} ended with ${code}\n${stderr}`);
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
