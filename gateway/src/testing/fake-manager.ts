import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Route, TopologyAck, TrafficStats } from '@dbox/contracts';

/** Speaks the manager's three calls for a gateway over real HTTP. */
export interface FakeManager {
  readonly url: string;
  /** Offers these routes under the next revision and resolves with the gateway's acknowledgement. */
  offer(routes: readonly Route[]): Promise<TopologyAck>;
  /** Answers the waiting (or next) poll with exactly this, whatever the revision. */
  answerPoll(revision: number, routes: readonly Route[]): void;
  nextAck(): Promise<TopologyAck>;
  /** Resolves when a poll arrives after which nothing newer is known. */
  nextIdlePoll(): Promise<void>;
  nextTraffic(): Promise<readonly TrafficStats[]>;
  readonly acks: readonly TopologyAck[];
  close(): Promise<void>;
}

interface Waiting {
  readonly res: ServerResponse;
  readonly after: number;
}

export async function startFakeManager(firstRevision = 0): Promise<FakeManager> {
  let revision = firstRevision;
  let routes: readonly Route[] | null = null;
  let forced: { revision: number; routes: readonly Route[] } | null = null;
  let waiting: Waiting | null = null;
  const acks: TopologyAck[] = [];
  const ackWaiters: ((ack: TopologyAck) => void)[] = [];
  const idleWaiters: (() => void)[] = [];
  const trafficWaiters: ((stats: readonly TrafficStats[]) => void)[] = [];

  function answerWaiting(): void {
    if (!waiting) return;
    const answer = forced ?? (routes && revision > waiting.after ? { revision, routes } : null);
    if (!answer) {
      for (const waiter of idleWaiters.splice(0)) waiter();
      return;
    }
    forced = null;
    waiting.res.setHeader('content-type', 'application/json');
    waiting.res.end(JSON.stringify({ ...answer, releases: [], watches: [] }));
    waiting = null;
  }

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', 'http://manager');
    if (url.pathname === '/v1/topology') {
      waiting = { res, after: Number(url.searchParams.get('after')) };
      answerWaiting();
      return;
    }
    let text = '';
    for await (const chunk of req) text += chunk;
    res.writeHead(204).end();
    if (url.pathname === '/v1/topology/ack') {
      const ack = JSON.parse(text) as TopologyAck;
      acks.push(ack);
      for (const waiter of ackWaiters.splice(0)) waiter(ack);
    }
    if (url.pathname === '/v1/traffic') {
      for (const waiter of trafficWaiters.splice(0)) waiter(JSON.parse(text).releases);
    }
  }

  const server: Server = createServer((req, res) => void handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const nextAck = () => new Promise<TopologyAck>((resolve) => ackWaiters.push(resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    offer(next) {
      revision += 1;
      routes = next;
      const acked = nextAck();
      answerWaiting();
      return acked;
    },
    answerPoll(asRevision, next) {
      forced = { revision: asRevision, routes: next };
      answerWaiting();
    },
    nextAck,
    nextIdlePoll: () => new Promise((resolve) => idleWaiters.push(resolve)),
    nextTraffic: () => new Promise((resolve) => trafficWaiters.push(resolve)),
    acks,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
