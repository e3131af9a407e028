import { Agent, request } from 'node:http';
import type { Figure } from './figures.ts';
import type { BenchServer } from './postgres-server.ts';
import { startSubject } from './subject.ts';

/** Pairs of lease and complete for each run: some seconds, so that neither is measured while it warms up. */
const JOBS = 4_000;
/** A commit of a server with a disk is a few milliseconds, so that fewer take as long. */
const POSTGRES_JOBS = 1_000;
const ROUNDS = 3;

/** Lease and complete over HTTP, one operation a request, ours beside the floor in turns. */
export async function measureClaims(agents: number, postgres: BenchServer | null): Promise<Figure> {
  const ours: number[] = [];
  const floor: number[] = [];
  const place = async () => (postgres === null ? [] : [await postgres.makeDatabase()]);
  for (let round = 0; round < ROUNDS; round++) {
    floor.push(await runFloor(agents, await place()));
    ours.push(await runOurs(agents, await place()));
  }
  const [value, beside] = [median(ours), median(floor)];
  const where = postgres === null ? '' : ' on Postgres';
  return {
    name: `lease + complete over HTTP${where}, ${agents} agent${agents === 1 ? '' : 's'}`,
    value,
    unit: 'jobs/s',
    beside: { name: `bare Hono and ${postgres === null ? 'SQLite' : 'SKIP LOCKED'}`, value: beside },
    // On Postgres each operation of ours is several round trips, and the floor's is one.
    aim: postgres === null ? '≥ 0.7 ×' : '',
    met: postgres !== null || value >= 0.7 * beside,
  };
}

async function runFloor(agents: number, place: readonly string[]): Promise<number> {
  const file = place.length > 0 ? 'bare-postgres-floor.ts' : 'bare-floor.ts';
  const jobs = jobsAt(place);
  const subject = await startSubject(file, [String(jobs), ...place]);
  const post = poster(Number(subject.ready.port), agents, null);
  try {
    return await drain(agents, jobs, async () => {
      const lease = await post('/lease', { agentId: 'agent', kinds: ['check'], waitMs: 0 });
      if (lease.status === 204) return false;
      const { id, fence } = JSON.parse(lease.text) as { id: number; fence: number };
      await post('/complete', { id, fence, kind: 'check', outcome: 'succeeded', checks: [] });
      return true;
    });
  } finally {
    await subject.stop();
  }
}

async function runOurs(agents: number, place: readonly string[]): Promise<number> {
  const jobs = jobsAt(place);
  const subject = await startSubject('seeded-manager.ts', [String(jobs), ...place]);
  const post = poster(Number(subject.ready.port), agents, String(subject.ready.token));
  try {
    const registered = await post('/v1/agents', {
      kind: 'monitoring',
      name: 'bench',
      version: '0',
      capacity: agents,
      labels: [],
      warnings: [],
    });
    const { agentId } = JSON.parse(registered.text) as { agentId: string };
    return await drain(agents, jobs, async () => {
      const lease = await post('/v1/jobs/lease', { agentId, kinds: ['check'], waitMs: 0 });
      if (lease.status === 204) return false;
      const given = JSON.parse(lease.text) as { job: { id: string }; lease: { token: string } };
      const done = await post(
        `/v1/jobs/${given.job.id}/result`,
        { kind: 'check', outcome: 'succeeded', checks: [] },
        given.lease.token,
      );
      if (done.status !== 200) throw new Error(`a result was refused: ${done.text}`);
      return true;
    });
  } finally {
    await subject.stop();
  }
}

const jobsAt = (place: readonly string[]) => (place.length > 0 ? POSTGRES_JOBS : JOBS);

/** Jobs a second until none is left. */
async function drain(agents: number, jobs: number, one: () => Promise<boolean>): Promise<number> {
  let done = 0;
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: agents }, async () => {
      while (await one()) done += 1;
    }),
  );
  if (done !== jobs) throw new Error(`${done} of ${jobs} jobs were done`);
  return (done / (performance.now() - startedMs)) * 1000;
}

/** node:http with keep-alive costs the load less than fetch does, so the subject is what is measured. */
export function poster(port: number, connections: number, token: string | null) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return (path: string, body: object, bearer = token) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const text = JSON.stringify(body);
      const sent = request(
        {
          host: '127.0.0.1',
          port,
          path,
          method: 'POST',
          agent,
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(text),
            ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
          },
        },
        (response) => {
          let answer = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            answer += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode!, text: answer }));
        },
      );
      sent.once('error', reject);
      sent.end(text);
    });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
