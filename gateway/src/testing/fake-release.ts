import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Target } from '@dbox/contracts';

export interface FakeRelease {
  readonly target: Target;
  readonly server: Server;
  close(): Promise<void>;
}

/** A release that answers with its name; WebSockets echo, prefixed with it. */
export async function startFakeRelease(
  name: string,
  o: {
    readonly socketPath?: string;
    readonly handle?: (req: IncomingMessage, res: ServerResponse) => void;
    /** Instead of the echo. */
    readonly onUpgrade?: (socket: Socket) => void;
  } = {},
): Promise<FakeRelease> {
  const server = createServer(o.handle ?? ((_req, res) => void res.end(name)));
  const upgraded = new Set<Socket>();
  server.on('upgrade', (_req, socket: Socket) => {
    upgraded.add(socket);
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    if (o.onUpgrade) return o.onUpgrade(socket);
    socket.on('data', (data) => socket.write(`${name}:${data}`));
  });
  await new Promise<void>((resolve) => {
    if (o.socketPath === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(o.socketPath, resolve);
  });
  return {
    server,
    target:
      o.socketPath === undefined
        ? { kind: 'tcp', host: '127.0.0.1', port: (server.address() as AddressInfo).port }
        : { kind: 'socket', path: o.socketPath },
    async close() {
      for (const socket of upgraded) socket.destroy();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** One request with a free choice of `Host`, which `fetch` does not allow. */
export function ask(
  port: number,
  o: {
    readonly method?: string;
    readonly path?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request(
      {
        host: '127.0.0.1',
        port,
        method: o.method ?? 'GET',
        path: o.path ?? '/',
        headers: o.headers ?? {},
        agent: false,
      },
      (res) => {
        let body = '';
        res.setEncoding('utf8').on('data', (chunk) => {
          body += chunk;
        });
        res.once('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body }));
        res.once('error', reject);
      },
    );
    req.once('error', reject);
    req.end(o.body);
  });
}
