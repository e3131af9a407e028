import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer, Event, OperationName } from '@dbox/contracts';
import { OPERATIONS, ProblemError } from '@dbox/contracts';

export interface FakeRequest {
  readonly operation: OperationName;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Bytes or text instead of JSON. */
export class RawAnswer {
  readonly bytes: Buffer | string;
  constructor(bytes: Buffer | string) {
    this.bytes = bytes;
  }
}

/** Answers the connection with nothing and ends it, as a box does that is killed in the middle. */
export const HANG_UP = Symbol('hang up');

type Handler<K extends OperationName> = (
  request: FakeRequest,
) => Answer<K> | RawAnswer | typeof HANG_UP | Promise<Answer<K> | RawAnswer | typeof HANG_UP>;
export type Handlers = { [K in OperationName]?: Handler<K> };

export interface FakeManager {
  readonly url: string;
  readonly port: number;
  /** Every request, in the order they came. */
  readonly requests: FakeRequest[];
  /** Change them at any time. */
  readonly handlers: Handlers;
  /** Sends an event to every open stream and to those that come later. */
  emit(event: Pick<Event, 'type' | 'subject'> & Partial<Event>): void;
  /** Resolves once a request of this operation has come, or at once if one has. */
  seen(operation: OperationName): Promise<void>;
  /** Cuts all connections and stops listening. */
  close(): Promise<void>;
}

/** A manager that answers what the test says, over real HTTP; the wire is that of the contracts. */
export async function startFakeManager(handlers: Handlers = {}, port = 0): Promise<FakeManager> {
  const requests: FakeRequest[] = [];
  const events: Event[] = [];
  const streams = new Set<ServerResponse>();
  const waiting: { operation: OperationName; resolve: () => void }[] = [];

  const server = createServer((request, response) => {
    void serve(request, response).catch((error: unknown) => {
      const problem = error instanceof ProblemError ? error : new ProblemError('internal', String(error));
      response.writeHead(problem.status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify(problem.toProblem()));
    });
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    const { operation, params } = match(request.method ?? 'GET', url.pathname);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const asked: FakeRequest = { operation, params, query: url.searchParams, headers: request.headers, body };
    requests.push(asked);
    for (const one of waiting.filter((wait) => wait.operation === operation)) one.resolve();

    const handler = handlers[operation] as Handler<OperationName> | undefined;
    if (operation === 'getHealth' && !handler) return json(response, { ok: true });
    if (operation === 'streamEvents' && !handler) return stream(asked, response);
    if (operation === 'listEvents' && !handler) {
      const after = Number(url.searchParams.get('after') ?? 0);
      const subject = url.searchParams.get('subject');
      const found = events.filter((one) => one.seq > after && (subject === null || one.subject === subject));
      return json(response, { events: found.slice(0, Number(url.searchParams.get('limit') ?? 1000)) });
    }
    if (!handler) throw new ProblemError('not_found', `the fake has no ${operation}`);
    const answer = await handler(asked);
    if (answer === HANG_UP) return void request.socket.destroy();
    if (answer instanceof RawAnswer) {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      return void response.end(answer.bytes);
    }
    if (answer === undefined) return void response.writeHead(204).end();
    json(response, answer);
  }

  function stream(asked: FakeRequest, response: ServerResponse): void {
    const after = Number(asked.headers['last-event-id'] ?? asked.query.get('after') ?? events.length);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': connected\n\n');
    for (const event of events) if (event.seq > after) writeEvent(response, event);
    streams.add(response);
    response.on('close', () => streams.delete(response));
  }

  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    handlers,
    emit: (given) => {
      const event: Event = {
        seq: events.length + 1,
        at: '2026-01-02T03:04:05.678Z',
        actor: 'system',
        data: {},
        hash: 'a'.repeat(64),
        ...given,
      };
      events.push(event);
      for (const response of streams) writeEvent(response, event);
    },
    seen: (operation) =>
      new Promise((resolve) => {
        if (requests.some((request) => request.operation === operation)) resolve();
        else waiting.push({ operation, resolve });
      }),
    close: () => closeServer(server),
  };
}

function match(method: string, path: string): { operation: OperationName; params: Record<string, string> } {
  for (const [operation, [wanted, pattern]] of Object.entries(OPERATIONS)) {
    const names: string[] = [];
    const source = pattern.replaceAll(/:([a-zA-Z]+)/g, (_, name: string) => {
      names.push(name);
      return '([^/]+)';
    });
    const found = wanted === method ? new RegExp(`^${source}$`).exec(path) : null;
    if (!found) continue;
    const params = Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(found[i + 1] ?? '')]));
    return { operation: operation as OperationName, params };
  }
  throw new ProblemError('not_found', `${method} ${path} is no operation`);
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

function writeEvent(response: ServerResponse, event: Event): void {
  response.write(`id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
