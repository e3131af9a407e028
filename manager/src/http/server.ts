import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { OPERATIONS, type OperationName, ProblemError } from '@dbox/contracts';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import { SmartRouter } from 'hono/router/smart-router';
import { TrieRouter } from 'hono/router/trie-router';
import type { Clock } from '../ports/clock.ts';
import { acceptTls, isEncrypted, type TlsPair } from './accept-tls.ts';
import { writeProblem } from './answer-writer.ts';
import type { Authenticate } from './auth.ts';
import type { Handlers } from './handlers.ts';
import { createHostCheck } from './host-check.ts';
import { describeError, type Log, problemOf } from './problem-of.ts';
import { type BodyPace, ClientGoneError, DEFAULT_BODY_PACE } from './request-body.ts';
import { createRouteHandler } from './route-handler.ts';
import { closeRoutes, methodsOf } from './route-suggestions.ts';
import { SegmentRouter } from './segment-router.ts';

export interface HttpServerOptions {
  readonly handlers: Handlers;
  readonly authenticate: Authenticate;
  readonly clock: Clock;
  readonly log: Log;
  /** The address to bind; 127.0.0.1 where not given. */
  readonly host?: string;
  /** Names besides localhost, 127.0.0.1, [::1] and `host` under which the box is called. */
  readonly hostNames?: readonly string[];
  /** With it, plain HTTP is for this machine and for `plainHostNames` alone. */
  readonly tls?: TlsPair | null;
  /** Names under which the box's own services call it on their private network. */
  readonly plainHostNames?: readonly string[];
  readonly bodyPace?: BodyPace;
  /** How long a stop waits for calls under way before it cuts them off; 5 s where not given. */
  readonly stopGraceMs?: number;
  /** Told of each request once it was answered; a stream counts when it ends. */
  readonly onAnswer?: (answer: Answered) => void;
}

export interface Answered {
  readonly operation: OperationName | 'unknown';
  readonly status: number;
  readonly durationMs: number;
}

export interface HttpServer {
  /** Needs node's own request and response as bindings: `app.request()` does not work. */
  readonly app: Hono<{ Bindings: HttpBindings }>;
  /** Port 0 takes a free one. Rejects with node's error (`EADDRINUSE`) where the port is taken. */
  listen(port: number): Promise<Listening>;
}

export interface Listening {
  readonly port: number;
  /** Takes no more requests, aborts the signals of those under way, waits for them. May be called twice. */
  close(): Promise<void>;
}

type Served = Context<{ Bindings: HttpBindings }>;

const DEFAULT_STOP_GRACE_MS = 5_000;
/** Heads come in one packet; whoever takes longer holds a connection on purpose. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Longer than the pauses between an agent's heartbeats and polls, so that they reuse one connection. */
const KEEP_ALIVE_MS = 30_000;

/** The manager's API: every operation of the contract, one handler each, no middleware between. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { clock, log, onAnswer } = options;
  const isOwnHost = createHostCheck([
    options.host ?? '127.0.0.1',
    ...(options.hostNames ?? []),
    ...(options.plainHostNames ?? []),
  ]);
  const mayBePlain = createHostCheck(options.plainHostNames ?? []);
  const open = new Set<AbortController>();
  let stopping = false;
  let closeIdleConnections = () => {};

  /** Runs one request to its end; whatever it throws becomes a problem document. */
  async function serve(
    c: Served,
    operation: OperationName | 'unknown',
    work: () => Promise<void>,
  ): Promise<Response> {
    const { incoming, outgoing } = c.env;
    const startedMs = performance.now();
    try {
      if (stopping) {
        outgoing.shouldKeepAlive = false;
        throw new ProblemError('stopping', 'The box is stopping; try again when it is up.', {
          retryAfterSeconds: 2,
        });
      }
      if (!isOwnHost(incoming.headers.host)) throw wrongHost(incoming.headers.host);
      if (options.tls && !isEncrypted(incoming.socket) && !mayBePlain(incoming.headers.host)) throw onlyTls();
      await work();
    } catch (error) {
      answerError(c, operation, error);
    }
    if (stopping) onceClosed(outgoing, closeIdleConnections);
    onAnswer?.({ operation, status: outgoing.statusCode, durationMs: performance.now() - startedMs });
    return RESPONSE_ALREADY_SENT;
  }

  function answerError({ env: { outgoing } }: Served, operation: string, error: unknown): void {
    if (isClientGone(error, outgoing)) return;
    if (outgoing.headersSent || outgoing.destroyed) {
      // Half an answer is out. Cutting the connection is the only way left to say that it is not whole.
      log('error', `the answer to ${operation} broke off`, { operation, error: describeError(error) });
      outgoing.destroy();
      return;
    }
    if (stopping) outgoing.shouldKeepAlive = false;
    writeProblem(outgoing, problemOf(error, log));
  }

  const app = new Hono<{ Bindings: HttpBindings }>({
    router: new SmartRouter({ routers: [new SegmentRouter(), new TrieRouter()] }),
  });
  const routeOptions = {
    authenticate: options.authenticate,
    clock,
    bodyPace: options.bodyPace ?? DEFAULT_BODY_PACE,
    open,
  };
  for (const operation of Object.keys(OPERATIONS) as OperationName[]) {
    const [method, path] = OPERATIONS[operation];
    const handle = createRouteHandler(operation, options.handlers[operation] as never, routeOptions);
    app.on(method, path, (c) =>
      serve(c, operation, () =>
        handle({ incoming: c.env.incoming, outgoing: c.env.outgoing, pathParams: c.req.param() }),
      ),
    );
  }
  app.notFound((c) =>
    serve(c, 'unknown', async () => {
      const methods = methodsOf(c.req.path);
      writeProblem(c.env.outgoing, noSuchRoute(c.req.method, c.req.path, methods), {
        ...(methods.length > 0 ? { allow: methods.join(', ') } : {}),
      });
    }),
  );

  return {
    app,
    listen: (port) =>
      start({
        app,
        port,
        host: options.host ?? '127.0.0.1',
        tls: options.tls ?? null,
        clock,
        stopGraceMs: options.stopGraceMs ?? DEFAULT_STOP_GRACE_MS,
        onStop(server) {
          stopping = true;
          closeIdleConnections = () => server.closeIdleConnections();
          const reason = new ProblemError('stopping', 'The box is stopping; try again when it is up.', {
            retryAfterSeconds: 2,
          });
          for (const controller of open) controller.abort(reason);
        },
      }),
  };
}

/** Node closes the connections that are idle when a stop begins; those that answer then need telling. */
function onceClosed(outgoing: ServerResponse, callback: () => void): void {
  if (outgoing.closed) callback();
  else outgoing.once('close', callback);
}

/** Nobody is left to tell, and nothing went wrong in the box. */
function isClientGone(error: unknown, outgoing: ServerResponse): boolean {
  if (error instanceof ClientGoneError) return true;
  const { name, code } = error as { name?: unknown; code?: unknown };
  return outgoing.destroyed && (name === 'AbortError' || code === 'ERR_STREAM_PREMATURE_CLOSE');
}

interface Start {
  readonly app: HttpServer['app'];
  readonly port: number;
  readonly host: string;
  readonly tls: TlsPair | null;
  readonly clock: Clock;
  readonly stopGraceMs: number;
  readonly onStop: (server: Server) => void;
}

async function start({ app, port, host, tls, clock, stopGraceMs, onStop }: Start): Promise<Listening> {
  // The process' own Request and Response stay as they are: answers do not go through them.
  const listener = getRequestListener((request, env) => app.fetch(request, env), {
    overrideGlobalObjects: false,
    errorHandler: refuseTarget,
  });
  // Opened ahead by a client and never asked anything: to node they are not idle, so a stop would wait for them.
  const unused = new Set<Socket>();
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      // Bodies have a pace instead (`request-body.ts`): a large bundle on a slow line takes long.
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Checked in `serve`, where a problem document can be sent.
      requireHostHeader: false,
    },
    (incoming, outgoing) => {
      unused.delete(incoming.socket);
      void listener(incoming, outgoing);
    },
  );
  server.on('connection', (socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  const endSilent = tls ? acceptTls(server, tls) : () => {};
  server.on('clientError', refuseConnection);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  let closing: Promise<void> | null = null;
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      closing ??= stop({ server, clock, stopGraceMs, onStop });
      for (const socket of unused) socket.destroy();
      endSilent();
      return closing;
    },
  };
}

async function stop(
  given: Pick<Start, 'clock' | 'stopGraceMs' | 'onStop'> & { server: Server },
): Promise<void> {
  const { server, clock, stopGraceMs, onStop } = given;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  onStop(server);
  const cancel = clock.after(stopGraceMs, () => server.closeAllConnections());
  await closed;
  cancel();
}

/** A `Host` or an address that no URL can be made of never reaches the routes. */
function refuseTarget(): Response {
  const problem = new ProblemError('invalid_request', 'The address or the Host header is not valid.');
  return new Response(JSON.stringify(problem.toProblem()), {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', connection: 'close' },
  });
}

/** What is not HTTP at all never becomes a request; it gets its problem document by hand. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const detail =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'The headers are larger than 16 KiB.'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'The head of the request came too slowly.'
        : 'This is no valid HTTP request.';
  const text = JSON.stringify(new ProblemError('invalid_request', detail).toProblem());
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}

function wrongHost(host: string | undefined): ProblemError {
  return new ProblemError(
    'forbidden',
    `This box does not go by the name ${JSON.stringify(host?.slice(0, 100) ?? '')}. Call it by localhost, 127.0.0.1 or a name that its configuration gives it.`,
  );
}

function onlyTls(): ProblemError {
  return new ProblemError(
    'forbidden',
    'This box is reached by https:// alone. A token that went over http:// may have been read.',
  );
}

function noSuchRoute(method: string, path: string, methods: readonly string[]): ProblemError {
  const asked = `${method} ${path.slice(0, 200)}`;
  if (methods.length > 0) {
    return new ProblemError('not_found', `There is no ${asked}; this path takes ${methods.join(', ')}.`);
  }
  const close = closeRoutes(path);
  const advice = close.length > 0 ? `Did you mean ${close.join(' or ')}?` : 'All calls are in /openapi.json.';
  return new ProblemError('not_found', `There is no ${asked}. ${advice}`);
}
