import { type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';
import { EngineError, errorOfAnswer, errorOfSocket } from './engine-error.ts';

/** Engine 25. Below it health checks and volumes are spelt differently. */
export const API_VERSION = '1.44';
/** A machine that is busy building answers slowly; one that does not answer for so long is in trouble. */
const ANSWER_TIMEOUT_MS = 60_000;
/** Lists of containers and images of a big box are some hundred kilobytes. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

export interface EngineCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  /** Each segment is encoded; nothing in it can lead elsewhere. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** JSON, or a tar archive. */
  readonly body?: object;
  readonly archive?: Readable | Buffer;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** For error messages: `creating the container x`. */
  readonly what: string;
}

/** HTTP to the engine over its unix socket. Each call has a connection of its own. */
export interface EngineSocket {
  /** The whole answer, bounded in bytes and time. Null: it had none. */
  ask(call: EngineCall): Promise<unknown>;
  /** An answer that goes on; the time-out is for its beginning alone. Destroy it when done. */
  open(call: EngineCall): Promise<IncomingMessage>;
}

export function createEngineSocket(socketPath: string): EngineSocket {
  function open(call: EngineCall): Promise<IncomingMessage> {
    const { signal, what } = call;
    const query = new URLSearchParams(
      Object.entries(call.query ?? {}).map(([key, value]): [string, string] => [key, String(value)]),
    );
    const path = `/v${API_VERSION}/${call.path.map(encodeURIComponent).join('/')}?${query}`;
    const json = call.body === undefined ? null : Buffer.from(JSON.stringify(call.body));
    const headers: Record<string, string | number> = { host: 'engine' };
    if (json) headers['content-type'] = 'application/json';
    else if (call.archive) headers['content-type'] = 'application/x-tar';
    if (json) headers['content-length'] = json.length;

    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const req = request({ socketPath, path, method: call.method, headers, agent: false });
      const timer = setTimeout(() => {
        req.destroy(new EngineError('timed_out', `the container engine took too long while ${what}`));
      }, call.timeoutMs ?? ANSWER_TIMEOUT_MS);
      const onAbort = () => req.destroy(signal?.reason as Error);
      signal?.addEventListener('abort', onAbort, { once: true });
      req.once('close', () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      });
      req.on('error', (error) => {
        if (signal?.aborted) return reject(signal.reason);
        reject(error instanceof EngineError ? error : errorOfSocket(error, { socketPath, what }));
      });
      req.once('response', (response) => {
        clearTimeout(timer);
        const status = response.statusCode ?? 0;
        if (status < 400) return resolve(response);
        void readAll(response).then(
          (body) => reject(errorOfAnswer({ status, body, what })),
          (error) => reject(errorOfSocket(error, { socketPath, what })),
        );
      });
      const { archive } = call;
      if (Buffer.isBuffer(archive)) req.end(archive);
      else if (archive) {
        archive.once('error', (error) => req.destroy(error));
        // An engine that has refused does not read the rest.
        req.once('close', () => archive.destroy());
        archive.pipe(req);
      } else req.end(json);
    });
  }

  return {
    open,
    async ask(call) {
      const timeout = AbortSignal.timeout(call.timeoutMs ?? ANSWER_TIMEOUT_MS);
      const signal = call.signal ? AbortSignal.any([call.signal, timeout]) : timeout;
      try {
        const body = await readAll(await open({ ...call, signal }));
        return body === '' ? null : JSON.parse(body);
      } catch (error) {
        if (call.signal?.aborted) throw call.signal.reason;
        if (timeout.aborted) {
          throw new EngineError('timed_out', `the container engine took too long while ${call.what}`);
        }
        if (error instanceof EngineError || call.archive) throw error;
        throw errorOfSocket(error as Error, { socketPath, what: call.what });
      }
    },
  };
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_ANSWER_BYTES) throw new EngineError('failed', 'the engine’s answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
