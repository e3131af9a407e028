import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Route, TopologyAck } from '@dbox/contracts';
import { acceptTls, isEncrypted, type TlsPair } from './accept-tls.ts';
import { type RouteKey, routeKey } from './route-table.ts';

export interface ListenerHandlers {
  readonly request: (own: RouteKey) => RequestListener;
  readonly upgrade: (own: RouteKey) => (...args: Parameters<UpgradeListener>) => void;
}
type UpgradeListener = (req: Parameters<RequestListener>[0], socket: Socket, head: Buffer) => void;

export interface PortRange {
  readonly first: number;
  readonly count: number;
}

interface Listener {
  readonly route: Pick<Route, 'project' | 'environment' | 'port'>;
  readonly server: Server;
  readonly port: number;
  close(graceMs: number): Promise<void>;
}

/** One listening port for each route. */
export interface Listeners {
  /** Opens, moves and closes ports until they are those of the routes. Calls must not overlap. */
  apply(routes: readonly Route[]): Promise<void>;
  readonly listening: TopologyAck['listeners'];
  /** Free ports that stand in for taken ones. */
  readonly substitutes: Readonly<Record<RouteKey, number>>;
  close(graceMs: number): Promise<void>;
}

// The limits against clients that send a byte a minute: a request's head within 15 s, all of it within
// 5 minutes (an upload over a slow line), looked at every 10 s. An idle connection may stay for 65 s,
// longer than the usual minute of a proxy in front, so that it closes first.
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 15_000,
  requestTimeout: 300_000,
  connectionsCheckingInterval: 10_000,
  keepAliveTimeout: 65_000,
};
/** Requests in flight on a port that is given up. */
const CLOSE_GRACE_MS = 30_000;

/** A person who looks for a site near where it should be finds it. */
const NEIGHBOURS = 20;

export function createListeners(o: {
  readonly host: string;
  readonly handlers: ListenerHandlers;
  /** From a former life, by route key. */
  readonly substitutes: Readonly<Record<RouteKey, number>>;
  /** The only ports that can be reached from outside; null is any. */
  readonly ports: PortRange | null;
  /** With it, plain HTTP is for this machine and for `plainHostNames` alone. */
  readonly tls: TlsPair | null;
  readonly warn: (message: string, data: object) => void;
}): Listeners {
  const open = new Map<RouteKey, Listener>();
  const closing = new Set<Promise<void>>();
  const remembered: Record<RouteKey, number> = { ...o.substitutes };

  function letGo(listener: Listener): void {
    const closed = listener.close(CLOSE_GRACE_MS).finally(() => closing.delete(closed));
    closing.add(closed);
  }

  async function listen(route: Route, asked: ReadonlySet<number>): Promise<Listener> {
    const key = routeKey(route);
    const server = createServer(
      { ...LIMITS, shouldUpgradeCallback: (req) => req.headers.upgrade?.toLowerCase() === 'websocket' },
      o.tls === null ? o.handlers.request(key) : onlyTls(o.handlers.request(key)),
    );
    const upgraded = new Set<Socket>();
    server.on('upgrade', (req, socket: Socket, head) => {
      if (o.tls !== null && !mayBePlain(req)) return socket.destroy();
      upgraded.add(socket);
      // Node has let go of the socket: without a listener a reset would end the process.
      socket.on('error', () => socket.destroy());
      socket.once('close', () => upgraded.delete(socket));
      o.handlers.upgrade(key)(req, socket, head);
    });
    const endSilent = o.tls === null ? () => {} : acceptTls(server, o.tls);
    const candidates = candidatePorts({
      port: route.port,
      substitute: remembered[key],
      asked,
      range: o.ports,
    });
    if (candidates.length === 0) throw new Error('every port that can be reached from outside is taken');
    const port = await listenOnFirstFree(server, o.host, candidates);
    if (port !== route.port) {
      remembered[key] = port;
      if (route.port !== 0)
        o.warn('port is taken, another one serves instead', { route: key, wanted: route.port, port });
    } else {
      delete remembered[key];
    }
    return {
      route,
      server,
      port,
      async close(graceMs) {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        server.closeIdleConnections();
        endSilent();
        const timer = setTimeout(() => {
          server.closeAllConnections();
          for (const socket of upgraded) socket.destroy();
        }, graceMs);
        await closed;
        clearTimeout(timer);
        for (const socket of upgraded) socket.destroy();
      },
    };
  }

  return {
    async apply(routes) {
      const wanted = new Map(routes.map((route) => [routeKey(route), route]));
      const asked = new Set(routes.map((route) => route.port));
      for (const [key, listener] of open) {
        const port = wanted.get(key)?.port;
        // The manager asks for the substitute itself once it has heard of it.
        if (port === listener.route.port || port === listener.port) continue;
        open.delete(key);
        if (!wanted.has(key)) delete remembered[key];
        letGo(listener);
      }
      for (const [key, route] of wanted) {
        if (open.has(key)) continue;
        try {
          open.set(key, await listen(route, asked));
        } catch (error) {
          // No port at all is left (or no descriptors): the other routes go on; the next revision tries again.
          o.warn('no port could be opened', { route: key, error: String(error) });
        }
      }
    },
    get listening() {
      return [...open.values()].map(({ route, port }) => ({
        project: route.project,
        environment: route.environment,
        port,
      }));
    },
    get substitutes() {
      return { ...remembered };
    },
    async close(graceMs) {
      const all = [...open.values()].map((listener) => listener.close(graceMs));
      open.clear();
      await Promise.all([...all, ...closing]);
    },
  };
}

/** Who asks without TLS under a name of this machine or of the private network is one of the box's own. */
const PLAIN_HOSTS = /^(localhost|.+\.localhost|127\.0\.0\.1|\[::1\]|gateway|devsite)(:\d+)?$/i;

function mayBePlain({ socket, headers }: IncomingMessage): boolean {
  return isEncrypted(socket) || PLAIN_HOSTS.test(headers.host ?? '');
}

function onlyTls(listener: RequestListener): RequestListener {
  return (req, res) => {
    if (mayBePlain(req)) return listener(req, res);
    const host = req.headers.host ?? '';
    // Whatever is no name and port does not go into an address.
    const isName = /^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/i.test(host);
    res.writeHead(isName ? 308 : 400, isName ? { location: `https://${host}${req.url ?? '/'}` } : {});
    res.end();
  };
}

/** The port asked for, what stood in for it before, its neighbours that no other route asks for, else any. */
function candidatePorts(o: {
  readonly port: number;
  readonly substitute: number | undefined;
  readonly asked: ReadonlySet<number>;
  readonly range: PortRange | null;
}): number[] {
  const { port, substitute, asked, range } = o;
  if (range !== null) {
    const all = Array.from({ length: range.count }, (_, n) => range.first + n);
    const preferred = [port, substitute].filter((one) => one !== undefined && all.includes(one));
    return [...new Set([...preferred, ...all.filter((one) => !asked.has(one))])] as number[];
  }
  const neighbours = Array.from({ length: port === 0 ? 0 : NEIGHBOURS }, (_, n) => port + 1 + n).filter(
    (one) => one < 65_536 && !asked.has(one),
  );
  return [port, ...(substitute === undefined ? [] : [substitute]), ...neighbours, 0];
}

async function listenOnFirstFree(server: Server, host: string, ports: readonly number[]): Promise<number> {
  for (const [index, port] of ports.entries()) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port, exclusive: true }, () => {
          server.off('error', reject);
          resolve();
        });
      });
      return (server.address() as AddressInfo).port;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const isTaken = code === 'EADDRINUSE' || code === 'EACCES';
      if (!isTaken || index === ports.length - 1) throw error;
    }
  }
  throw new Error('no port was given');
}
