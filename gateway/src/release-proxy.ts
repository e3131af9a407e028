import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { createProxyServer, type ProxyServerOptions } from 'httpxy';
import type { Backend } from './backend.ts';
import { sayFarewell } from './farewell.ts';
import { dropHopByHop, hasBody, prepareRequestHeaders } from './forwarded-headers.ts';
import { makeWritable, refuseEndlessInterim, refuseUnaskedUpgrade } from './odd-answers.ts';
import { answerOwn, type OwnAnswer, ownAnswerHead } from './own-answers.ts';
import type { TrafficCounts } from './traffic-counts.ts';

/** Where the traffic of one address goes now; asked anew for every request and every second try. */
export type Destination = Backend | 'no_release' | 'no_route';

export interface ReleaseProxy {
  handleRequest(req: IncomingMessage, res: ServerResponse, destination: () => Destination): Promise<void>;
  handleUpgrade(
    req: IncomingMessage,
    socket: Socket,
    head: Buffer,
    destination: () => Destination,
  ): Promise<void>;
}

export interface ReleaseProxyOptions {
  readonly counts: TrafficCounts;
  /** Until a release must begin to answer; how long it then takes is its own affair. */
  readonly answerTimeoutMs: number;
}

/** What is known of a request between its parts, which the proxy library tells by events. */
interface Exchange {
  readonly backend: Backend;
  readonly startedAtMs: number;
  readonly clientWantsClose: boolean;
  isAnswered: boolean;
  isTimedOut: boolean;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);
/** The connection was closed or refused, or the name of a container that has ended is gone. */
const BROKEN_CONNECTION = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ENOENT',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
]);

export function createReleaseProxy(options: ReleaseProxyOptions): ReleaseProxy {
  const { counts } = options;
  const exchanges = new WeakMap<IncomingMessage, Exchange>();

  // Without an `error` listener the library rejects the promise of the request concerned.
  const web = createProxyServer({});
  web.on('proxyReq', (proxyReq, req) => {
    refuseEndlessInterim(proxyReq);
    refuseUnaskedUpgrade(proxyReq);
    const exchange = exchanges.get(req);
    if (!exchange) return;
    proxyReq.setTimeout(options.answerTimeoutMs, () => {
      if (exchange.isAnswered) return;
      exchange.isTimedOut = true;
      proxyReq.destroy();
    });
  });
  web.on('proxyRes', (proxyRes, req) => {
    const exchange = exchanges.get(req);
    const isStatus = makeWritable(proxyRes);
    if (exchange) {
      exchange.isAnswered = true;
      const latencyMs = performance.now() - exchange.startedAtMs;
      if (isStatus) counts.countAnswer(exchange.backend.releaseId, proxyRes.statusCode ?? 0, latencyMs);
      else counts.countError(exchange.backend.releaseId);
    }
    dropHopByHop(proxyRes.headers);
    if (exchange?.clientWantsClose) proxyRes.headers.connection = 'close';
  });

  // With one it calls it before it ends the client's socket, which is when a 502 can still be written.
  const ws = createProxyServer({});
  const unanswered = new WeakMap<IncomingMessage, Backend>();
  ws.on('proxyReqWs', (proxyReq, req, socket) => {
    refuseEndlessInterim(proxyReq);
    const answered = (proxyRes: IncomingMessage) => {
      const backend = unanswered.get(req);
      unanswered.delete(req);
      if (backend) counts.countAnswer(backend.releaseId, proxyRes.statusCode ?? 0, null);
    };
    proxyReq.once('response', answered);
    proxyReq.once('upgrade', (proxyRes, proxySocket) => {
      answered(proxyRes);
      sayFarewell(socket, proxySocket);
      // Whichever side goes without a word takes the other with it.
      socket.once('close', () => proxySocket.destroy());
      proxySocket.once('close', () => socket.end());
    });
  });
  ws.on('error', (_error, req, socket) => {
    const backend = req && unanswered.get(req);
    if (!backend) return;
    unanswered.delete(req);
    // A client that went away is not the release's failure.
    if (socket && !socket.destroyed) counts.countError(backend.releaseId);
    refuseUpgrade(socket as Socket, 'no_answer');
  });

  async function forward(
    req: IncomingMessage,
    res: ServerResponse,
    exchange: Exchange,
    more: ProxyServerOptions,
  ): Promise<void> {
    exchanges.set(req, exchange);
    const leave = exchange.backend.enter();
    const end = counts.open(exchange.backend.releaseId);
    try {
      await web.web(req, res, { ...more, target: addressOf(exchange.backend) });
    } finally {
      leave();
      end();
    }
  }

  return {
    async handleRequest(req, res, destination) {
      const clientWantsClose = /\bclose\b/i.test(req.headers.connection ?? '');
      prepareRequestHeaders(req, { upgrade: false });
      req.url = originForm(req.url ?? '/');
      const isRepeatable = IDEMPOTENT.has(req.method ?? '') && !hasBody(req.headers);

      for (let tryCount = 1; ; tryCount += 1) {
        const backend = destination();
        if (backend === 'no_release' || backend === 'no_route') return answerOwn(req, res, backend);
        const exchange: Exchange = {
          backend,
          startedAtMs: performance.now(),
          clientWantsClose,
          isAnswered: false,
          isTimedOut: false,
        };
        try {
          return await forward(req, res, exchange, {
            // An idle connection that the release closes just now breaks the request on it. One that
            // cannot be repeated gets a connection of its own, so that this cannot happen to it; and so
            // does a second try, for where one idle connection was closed, all may be.
            agent: isRepeatable && tryCount === 1 ? backend.agent : backend.oneShots,
            // The first try has read the request to its (empty) end.
            ...(tryCount > 1 ? { buffer: Readable.from([]) } : {}),
          });
        } catch (error) {
          if (res.headersSent || res.destroyed || exchange.isAnswered) {
            res.destroy();
            return;
          }
          const { code = '' } = error as NodeJS.ErrnoException;
          const mayRepeat =
            tryCount === 1 && isRepeatable && !exchange.isTimedOut && BROKEN_CONNECTION.has(code);
          if (mayRepeat) continue;
          counts.countError(backend.releaseId);
          return answerOwn(req, res, exchange.isTimedOut ? 'too_slow' : 'no_answer');
        }
      }
    },

    async handleUpgrade(req, socket, head, destination) {
      prepareRequestHeaders(req, { upgrade: true });
      req.url = originForm(req.url ?? '/');
      const backend = destination();
      if (backend === 'no_release' || backend === 'no_route') return refuseUpgrade(socket, backend);
      unanswered.set(req, backend);
      const end = counts.open(backend.releaseId);
      if (socket.destroyed) end();
      else socket.once('close', end);
      await ws.ws(req, socket, { target: addressOf(backend), upgradeTimeout: options.answerTimeoutMs }, head);
    },
  };
}

function addressOf({ target }: Backend): {
  protocol: string;
  host?: string;
  port?: number;
  socketPath?: string;
} {
  return target.kind === 'socket'
    ? { protocol: 'http:', socketPath: target.path }
    : { protocol: 'http:', host: target.host, port: target.port };
}

function refuseUpgrade(socket: Socket, kind: OwnAnswer): void {
  if (socket.writable) socket.end(ownAnswerHead(kind));
  else socket.destroy();
}

/** A client may name the whole address in the request line; a release expects the path. */
function originForm(url: string): string {
  if (url.startsWith('/')) return url;
  const parsed = URL.parse(url);
  return parsed && /^(https?|wss?):$/.test(parsed.protocol) ? `${parsed.pathname}${parsed.search}` : '/';
}
