import { Agent, type AgentOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Gives a connection up that is not made within `connectMs`, the look-up of the name included. A container
 * that has ended leaves a name that takes seconds to be denied, or an address at which nobody answers at
 * all; its visitors are to be told soon.
 */
export class ImpatientAgent extends Agent {
  readonly #connectMs: number;

  constructor(o: AgentOptions & { readonly connectMs: number }) {
    super(o);
    this.#connectMs = o.connectMs;
  }

  override createConnection(...given: Parameters<Agent['createConnection']>): Duplex | null | undefined {
    const socket = super.createConnection(...given) as Socket | null | undefined;
    if (!socket?.connecting) return socket;
    const timer = setTimeout(() => {
      const error = new Error(`no connection was made within ${this.#connectMs} ms`);
      socket.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
    }, this.#connectMs);
    const settle = () => clearTimeout(timer);
    socket.once('connect', settle);
    socket.once('close', settle);
    return socket;
  }
}
