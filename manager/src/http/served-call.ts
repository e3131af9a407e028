import { hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Caller } from './handlers.ts';

export interface ServedCallParts {
  readonly caller: Caller;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly bytes: Readable | null;
  /** The JSON body as it came; null where there is none. */
  readonly rawBody: Buffer | null;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** What a stopping server aborts. */
  readonly open: Set<AbortController>;
}

/** A `Call`. What only few handlers ask for (a signal, a hash) is made when it is asked for. */
export class ServedCall {
  readonly caller: Caller;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly bytes: Readable | null;
  readonly header: (name: string) => string | undefined;
  readonly #parts: ServedCallParts;
  #signal: AbortSignal | null = null;
  #bodyHash: string | null = null;

  constructor(parts: ServedCallParts) {
    this.caller = parts.caller;
    this.params = parts.params;
    this.query = parts.query;
    this.body = parts.body;
    this.bytes = parts.bytes;
    this.#parts = parts;
    this.header = (name) => {
      const value = parts.incoming.headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(', ') : value;
    };
  }

  get bodyHash(): string {
    this.#bodyHash ??= hash('sha256', this.#parts.rawBody ?? Buffer.alloc(0), 'hex');
    return this.#bodyHash;
  }

  get signal(): AbortSignal {
    this.#signal ??= openSignal(this.#parts);
    return this.#signal;
  }
}

function openSignal({ outgoing, open }: ServedCallParts): AbortSignal {
  const controller = new AbortController();
  const abort = () => {
    open.delete(controller);
    if (!outgoing.writableFinished) controller.abort(new DOMException('the client went away', 'AbortError'));
  };
  if (outgoing.destroyed) {
    abort();
  } else {
    open.add(controller);
    outgoing.once('close', abort);
  }
  return controller.signal;
}
