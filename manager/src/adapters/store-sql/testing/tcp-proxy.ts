import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Stands between a store and its server, and does to their connections what networks do:
 * - `pass`: nothing;
 * - `refuse`: breaks what there is and takes nothing new, as when the server is gone;
 * - `swallow`: keeps everything open and lets nothing through either way, as when a cable is cut;
 * - `mute`: what is said reaches the server, the answers are lost.
 */
export type NetworkMode = 'pass' | 'refuse' | 'swallow' | 'mute';

export class TcpProxy {
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #pairs = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  #mode: NetworkMode = 'pass';
  /** Sees what the store says, before it is passed on. */
  onSaid: (text: string) => void = () => {};
  /** An answer was lost. */
  onMuted: () => void = () => {};

  static async open(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  set(mode: NetworkMode): void {
    this.#mode = mode;
    if (mode === 'refuse') this.#breakAll();
  }

  /**
   * Forgets the store's side of each connection but keeps the server's, which goes on believing that
   * somebody is there.
   */
  orphanSessions(): void {
    for (const pair of this.#pairs) {
      pair.client.removeAllListeners('close');
      pair.client.on('error', () => {});
      pair.client.destroy();
    }
  }

  async close(): Promise<void> {
    this.#breakAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    if (this.#mode === 'refuse') {
      client.destroy();
      return;
    }
    const upstream = connect(this.#target.port, this.#target.host);
    const pair = { client, upstream };
    this.#pairs.add(pair);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    client.on('data', (bytes) => {
      this.onSaid(bytes.toString('latin1'));
      if (this.#mode === 'pass' || this.#mode === 'mute') upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (this.#mode === 'pass') client.write(bytes);
      if (this.#mode === 'mute') this.onMuted();
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => {
        // A cut cable carries no goodbye.
        if (this.#mode !== 'swallow') other.destroy();
        if (client.destroyed && upstream.destroyed) this.#pairs.delete(pair);
      });
    }
  }

  #breakAll(): void {
    for (const { client, upstream } of this.#pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
    this.#pairs.clear();
  }
}
