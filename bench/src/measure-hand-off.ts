import { Agent, request } from 'node:http';
import type { Figure } from './figures.ts';
import { percentile } from './figures.ts';
import { startSubject } from './subject.ts';

/** Each story gives two hand-offs: its job fails by the host's fault twice before the task is blocked. */
const STORIES = 60;
/** Long enough that the second agent's long poll stands before the first one answers. */
const PARKED_MS = 15;

/**
 * From the moment one agent sends its result to the moment the next one, in its long poll, holds the
 * job that follows from it. Over HTTP, through the whole use case: the job ends, the task moves, its
 * next job is queued, all in one durable transaction, and is leased in another.
 */
export async function measureHandOff(): Promise<Figure[]> {
  const subject = await startSubject('seeded-manager.ts', ['0']);
  const { port, codingToken, operatorToken } = subject.ready as Record<string, string>;
  const http = new Agent({ keepAlive: true });
  const post = (path: string, body: object, token: string) => send(http, Number(port), path, body, token);
  try {
    const ids: string[] = [];
    for (const name of ['first', 'second']) {
      const about = { kind: 'coding', name, version: '0', capacity: 1, labels: [], warnings: [] };
      ids.push(((await post('/v1/agents', about, codingToken!)) as { agentId: string }).agentId);
    }
    const lease = async (agent: number) =>
      (await post(
        '/v1/jobs/lease',
        { agentId: ids[agent], kinds: ['code'], waitMs: 10_000 },
        codingToken!,
      )) as Leased;
    const failed = { kind: 'code', outcome: 'failed', engine: 'template', cause: 'host', detail: 'bench' };
    const times: number[] = [];
    for (let n = 0; n < STORIES; n++) {
      const yaml = `id: bench-${n}\ntitle: Bench ${n}\ninputs: [{type: template, name: simple-static}]\ntests: [{run: ./run-tests.sh}]\n`;
      await post(
        '/v1/stories',
        { project: 'bench', documents: [{ file: 'bench.yaml', yaml, attachments: [] }] },
        operatorToken!,
      );
      let held = await lease(0);
      for (const next of [1, 0]) {
        const parked = lease(next).then((leased) => ({ leased, atMs: performance.now() }));
        await new Promise((wake) => setTimeout(wake, PARKED_MS));
        const sentMs = performance.now();
        await post(`/v1/jobs/${held.job.id}/result`, failed, held.lease.token);
        const { leased, atMs } = await parked;
        times.push(atMs - sentMs);
        held = leased;
      }
      await post(`/v1/jobs/${held.job.id}/result`, failed, held.lease.token);
    }
    const p50 = percentile(times, 0.5);
    const figure = { unit: 'ms', beside: null };
    return [
      {
        ...figure,
        name: "hand-off over HTTP, one agent's result to the next one's start, p50",
        value: p50,
        aim: '< 5 ms',
        met: p50 < 5,
      },
      { ...figure, name: 'the same, p99', value: percentile(times, 0.99), aim: '', met: true },
    ];
  } finally {
    http.destroy();
    await subject.stop();
  }
}

interface Leased {
  readonly job: { readonly id: string };
  readonly lease: { readonly token: string };
}

function send(agent: Agent, port: number, path: string, body: object, token: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(body);
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      authorization: `Bearer ${token}`,
    };
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        answer += chunk;
      });
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new Error(`${path}: ${response.statusCode} ${answer}`));
        else resolve(JSON.parse(answer));
      });
    });
    sent.once('error', reject);
    sent.end(text);
  });
}
