import { request } from 'node:http';
import type { HttpCriterion, Target } from '@dbox/contracts';
import { evaluateHttp, excerpt, type ProbeResponse } from './evaluate.ts';

export const PROBE_TIMEOUT_MS = 10_000;
/** More of a body is not read: a check looks for words on a page, and a prober must stay small. */
export const MAX_PROBE_BODY_BYTES = 1024 * 1024;
/** Interim answers without end would keep the prober busy until its time is over. */
const MAX_INTERIM_ANSWERS = 16;

export interface ProbeOptions {
  readonly target: Target;
  /** What the release sees as `Host`, e.g. `devsite:8080`. A `host` among the criterion's headers does not change it. */
  readonly hostHeader: string;
  readonly criterion: HttpCriterion;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

export interface ProbeOutcome {
  readonly ok: boolean;
  readonly detail: string;
  /** Null where no answer came. */
  readonly latencyMs: number | null;
}

/** Asks once and judges. Rejects only when `signal` is aborted; whatever the release does is an outcome. */
export async function probeHttp(options: ProbeOptions): Promise<ProbeOutcome> {
  const { criterion } = options;
  try {
    const response = await ask({
      ...options,
      method: criterion.method,
      path: criterion.path,
      headers: criterion.headers,
      body: criterion.body,
    });
    return { ...evaluateHttp(criterion, response), latencyMs: response.latencyMs };
  } catch (error) {
    if (options.signal.aborted) throw options.signal.reason;
    const why =
      (error as Error).name === 'TimeoutError' ? `within ${options.timeoutMs} ms` : `(${reason(error)})`;
    return {
      ok: false,
      detail: `${criterion.method} ${excerpt(criterion.path)} got no answer ${why}`,
      latencyMs: null,
    };
  }
}

/** Whether the target speaks HTTP at all: any status counts. Rejects only when `signal` is aborted. */
export async function answersHttp(
  options: Pick<ProbeOptions, 'target' | 'hostHeader' | 'signal' | 'timeoutMs'>,
): Promise<boolean> {
  try {
    await ask({ ...options, method: 'GET', path: '/', headers: {}, body: null, maxBodyBytes: 0 });
    return true;
  } catch {
    if (options.signal.aborted) throw options.signal.reason;
    return false;
  }
}

interface Question extends Pick<ProbeOptions, 'target' | 'hostHeader' | 'signal' | 'timeoutMs'> {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly maxBodyBytes?: number;
}

// These frame the message or name its host; the prober sets them itself.
const OWN_HEADERS = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

async function ask(question: Question): Promise<ProbeResponse> {
  const signal = AbortSignal.any([question.signal, AbortSignal.timeout(question.timeoutMs)]);
  signal.throwIfAborted();
  const startedAtMs = performance.now();
  const maxBodyBytes = question.maxBodyBytes ?? MAX_PROBE_BODY_BYTES;
  const headers: Record<string, string | number> = {
    'user-agent': 'dbox-probe',
    accept: '*/*',
    'accept-encoding': 'identity',
  };
  for (const [name, value] of Object.entries(question.headers)) {
    if (!OWN_HEADERS.has(name.toLowerCase())) headers[name.toLowerCase()] = value;
  }
  headers.host = question.hostHeader;
  if (question.body !== null) headers['content-length'] = Buffer.byteLength(question.body);

  return await new Promise<ProbeResponse>((resolve, reject) => {
    const { target } = question;
    const call = request({
      ...(target.kind === 'socket' ? { socketPath: target.path } : { host: target.host, port: target.port }),
      method: question.method,
      path: question.path,
      headers,
      // A connection of its own: a probe must see what a new visitor sees.
      agent: false,
    });
    const onAbort = () => call.destroy(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    call.once('close', () => signal.removeEventListener('abort', onAbort));
    call.on('error', (error) => reject(signal.aborted ? signal.reason : error));
    let interimCount = 0;
    call.on('information', () => {
      interimCount += 1;
      if (interimCount > MAX_INTERIM_ANSWERS) call.destroy(new Error('interim answers without end'));
    });
    call.once('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('it switched protocols unasked'));
    });
    call.once('response', (response) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      const finish = (bodyWasCut: boolean) => {
        resolve({
          status: response.statusCode ?? 0,
          location: response.headers.location ?? null,
          body: Buffer.concat(chunks).toString('utf8'),
          bodyWasCut,
          latencyMs: performance.now() - startedAtMs,
        });
        call.destroy();
      };
      response.on('data', (chunk: Buffer) => {
        const room = maxBodyBytes - sizeBytes;
        if (room > 0) chunks.push(chunk.subarray(0, room));
        sizeBytes += chunk.length;
        if (sizeBytes > maxBodyBytes) finish(true);
      });
      response.once('end', () => finish(false));
      response.on('error', (error) => reject(signal.aborted ? signal.reason : error));
      if (maxBodyBytes === 0) finish(true);
    });
    call.end(question.body ?? undefined);
  });
}

function reason(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return excerpt(code ?? message ?? String(error));
}
