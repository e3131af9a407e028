import { Agent, request } from 'node:http';

/** How one request ended. `5xx` and the like are answers; the others are none. */
export type Failure = '5xx' | 'reset' | 'refused' | 'timeout' | 'other';

export interface Sample {
  /** On the load's own clock (`performance.now()`). */
  readonly atMs: number;
  readonly latencyMs: number;
  /** Null: it was answered well. */
  readonly failure: Failure | null;
  readonly status: number | null;
  readonly retryAfter: string | null;
  /** The first bytes of the body, to see who answered. */
  readonly body: string;
}

export interface LoadReport {
  readonly requests: number;
  readonly failures: Readonly<Record<Failure, number>>;
  readonly samples: readonly Sample[];
}

export interface HttpLoad {
  /** Sends no more, and waits for what is under way. */
  stop(): Promise<LoadReport>;
  readonly samples: readonly Sample[];
}

export interface LoadOptions {
  readonly url: string;
  readonly requestsPerSecond: number;
  /** Every n-th is a POST with a body; 0 is none. */
  readonly postEvery?: number;
  readonly timeoutMs?: number;
  readonly connections?: number;
}

const TICK_MS = 5;
const BODY_SEEN = 64;

/**
 * Visitors who come when they come, whether or not those before them were answered (an open loop), over
 * kept-alive connections, and who never try again: what fails here, a person has seen fail.
 */
export function startHttpLoad(o: LoadOptions): HttpLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: o.connections ?? 64 });
  const url = new URL(o.url);
  const samples: Sample[] = [];
  const underWay = new Set<Promise<void>>();
  const startedMs = performance.now();
  let sentCount = 0;

  function send(): void {
    sentCount += 1;
    const isPost = o.postEvery !== undefined && o.postEvery > 0 && sentCount % o.postEvery === 0;
    const done = ask({ agent, url, method: isPost ? 'POST' : 'GET', timeoutMs: o.timeoutMs ?? 10_000 }).then(
      (sample) => {
        samples.push(sample);
        underWay.delete(done);
      },
    );
    underWay.add(done);
  }

  // What a late timer owes is sent at once: the rate holds on a busy machine too.
  const timer = setInterval(() => {
    const dueCount = Math.floor(((performance.now() - startedMs) / 1000) * o.requestsPerSecond);
    while (sentCount < dueCount) send();
  }, TICK_MS);

  return {
    samples,
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      agent.destroy();
      return reportOf(samples);
    },
  };
}

export function reportOf(samples: readonly Sample[]): LoadReport {
  const failures = { '5xx': 0, reset: 0, refused: 0, timeout: 0, other: 0 };
  for (const { failure } of samples) if (failure !== null) failures[failure] += 1;
  return { requests: samples.length, failures, samples };
}

export function failureCount(report: LoadReport): number {
  return Object.values(report.failures).reduce((sum, count) => sum + count, 0);
}

/** The latency that this share of the requests did not exceed. */
export function latencyAt(report: LoadReport, share: number): number {
  const sorted = report.samples.map((sample) => sample.latencyMs).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function ask(o: {
  readonly agent: Agent;
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly timeoutMs: number;
}): Promise<Sample> {
  const atMs = performance.now();
  return new Promise((resolve) => {
    let body = '';
    let status: number | null = null;
    let retryAfter: string | null = null;
    const end = (failure: Failure | null) => {
      clearTimeout(timer);
      resolve({ atMs, latencyMs: performance.now() - atMs, failure, status, retryAfter, body });
    };
    const sent = request(o.url, { agent: o.agent, method: o.method }, (answer) => {
      status = answer.statusCode ?? 0;
      retryAfter = answer.headers['retry-after'] ?? null;
      answer.setEncoding('utf8').on('data', (text: string) => {
        if (body.length < BODY_SEEN) body += text.slice(0, BODY_SEEN - body.length);
      });
      answer.once('end', () => end(status! >= 500 ? '5xx' : null));
      answer.once('error', () => end('reset'));
    });
    const timer = setTimeout(() => {
      end('timeout');
      sent.destroy();
    }, o.timeoutMs);
    sent.once('error', (error: NodeJS.ErrnoException) => end(kindOf(error.code)));
    if (o.method === 'POST') sent.end('a body of a visitor');
    else sent.end();
  });
}

function kindOf(code: string | undefined): Failure {
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset';
  return code === 'ECONNREFUSED' ? 'refused' : 'other';
}
