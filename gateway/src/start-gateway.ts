import { createClient, type Route, type Topology, type TopologyAck } from '@dbox/contracts';
import type { TlsPair } from './accept-tls.ts';
import { type Backend, createBackend, sameTarget } from './backend.ts';
import { type Clock, systemClock } from './clock.ts';
import { followTopology } from './follow-topology.ts';
import { createListeners, type PortRange } from './listeners.ts';
import { createReleaseProxy, type Destination } from './release-proxy.ts';
import { readRouteFile, writeRouteFile } from './route-file.ts';
import { makeRouteTable, type RouteKey, type RouteTable, routeKeyOf } from './route-table.ts';
import { createTrafficReporter } from './traffic-reporter.ts';

export interface GatewayOptions {
  readonly managerUrl: string;
  readonly token: string;
  /** Holds the routes last served, so that sites are back before the manager is. */
  readonly stateFile: string;
  /** The address all listeners bind. */
  readonly host: string;
  /** The only ports that can be reached from outside; any where not given. */
  readonly ports?: PortRange | null;
  /** For the addresses of sites; plain HTTP where not given. */
  readonly tls?: TlsPair | null;
  /** What a person may want to know: taken ports, a manager that is away. */
  readonly warn?: (message: string, data: object) => void;
  readonly answerTimeoutMs?: number;
  readonly clock?: Clock;
}

export interface Gateway {
  /** Where it listens now. */
  readonly listeners: TopologyAck['listeners'];
  /** Takes no new requests and waits up to `graceMs` (2 s) for those in flight. May be called twice. */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
}

const ANSWER_TIMEOUT_MS = 120_000;
const STOP_GRACE_MS = 2_000;

/** Resolves once the routes of a former life (if any) are served; it does not wait for the manager. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const clock = options.clock ?? systemClock;
  const warn = options.warn ?? (() => undefined);
  const client = createClient({ baseUrl: options.managerUrl, token: options.token });
  const traffic = createTrafficReporter({ client, clock, startedAt: new Date().toISOString() });
  const proxy = createReleaseProxy({
    counts: traffic.counts,
    answerTimeoutMs: options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
  });

  let table: RouteTable<Backend> = { revision: -1, backends: new Map() };
  const destinationOf = (host: string | undefined, own: RouteKey): Destination => {
    const backend = table.backends.get(routeKeyOf(host, own));
    return backend === undefined ? 'no_route' : (backend ?? 'no_release');
  };

  const saved = await readRouteFile(options.stateFile);
  const listeners = createListeners({
    host: options.host,
    substitutes: saved?.substitutes ?? {},
    ports: options.ports ?? null,
    tls: options.tls ?? null,
    warn,
    handlers: {
      request: (own) => (req, res) => {
        const { host } = req.headers;
        proxy.handleRequest(req, res, () => destinationOf(host, own)).catch(() => res.destroy());
      },
      upgrade: (own) => (req, socket, head) => {
        const { host } = req.headers;
        proxy.handleUpgrade(req, socket, head, () => destinationOf(host, own)).catch(() => socket.destroy());
      },
    },
  });

  function switchTo(revision: number, routes: readonly Route[]): void {
    const former = new Set([...table.backends.values()].filter((backend) => backend !== null));
    const next = makeRouteTable(revision, routes, (releaseId, target) => {
      for (const backend of former) {
        if (backend.releaseId === releaseId && sameTarget(backend.target, target)) return backend;
      }
      return createBackend(releaseId, target);
    });
    const hadTable = table.revision !== -1;
    const served = new Set([...former].map((backend) => backend.releaseId));
    table = next;
    // What is found at the start is not new: it served before this life, or may have.
    for (const backend of hadTable ? next.backends.values() : []) {
      if (backend !== null && !served.has(backend.releaseId)) traffic.counts.beginServing(backend.releaseId);
    }
    const kept = new Set(next.backends.values());
    for (const backend of former) if (!kept.has(backend)) backend.retire();
  }

  async function apply({ revision, routes }: Topology): Promise<TopologyAck> {
    switchTo(revision, routes);
    await listeners.apply(routes);
    await writeRouteFile(options.stateFile, {
      revision,
      routes,
      substitutes: { ...listeners.substitutes },
    }).catch(
      // The switch matters more than remembering it.
      (error) => warn('the routes could not be saved', { error: String(error) }),
    );
    return { revision, listeners: [...listeners.listening] };
  }

  if (saved) {
    switchTo(saved.revision, saved.routes);
    await listeners.apply(saved.routes);
  }
  const stopping = new AbortController();
  const following = followTopology({
    client,
    clock,
    warn,
    signal: stopping.signal,
    follower: { apply, appliedRevision: () => (table.revision === -1 ? null : table.revision) },
  });

  let stopped: Promise<void> | null = null;
  async function stop(graceMs: number): Promise<void> {
    stopping.abort();
    await following;
    await listeners.close(graceMs);
    traffic.stop();
    for (const backend of table.backends.values()) backend?.retire();
  }
  return {
    get listeners() {
      return listeners.listening;
    },
    stop(stopOptions) {
      stopped ??= stop(stopOptions?.graceMs ?? STOP_GRACE_MS);
      return stopped;
    },
  };
}
