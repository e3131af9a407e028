import type { Readable } from 'node:stream';
import type { Answer, Body, Event, OperationName, Params, Query, ROUTES, Role } from '@dbox/contracts';

/** Who calls: shown as the actor of the events that the call leaves. */
export interface Caller {
  readonly role: Role | 'anyone';
  /** `operator`, `agent:coding`, `job:job_…`; the token's role and, for a job, its id. */
  readonly actor: string;
  /** For the role `job`: what the token was given for. The lease may be gone by now; the use case says so. */
  readonly job: { readonly jobId: string; readonly fence: number } | null;
}

/** One request, already authenticated, allowed by role, and parsed by its contract. */
export interface Call<K extends OperationName> {
  readonly caller: Caller;
  readonly params: Params<K>;
  readonly query: Query<K>;
  /** The parsed JSON body; `undefined` for `stream` and `lines` bodies. */
  readonly body: Body<K>;
  /** The bytes of a `stream` or `lines` body, already limited to the contract's size; null where there is none. */
  readonly bytes: Readable | null;
  readonly header: (name: string) => string | undefined;
  /** SHA-256 of the raw JSON body, for idempotency. */
  readonly bodyHash: string;
  /** Aborted when the client is gone or the server stops. */
  readonly signal: AbortSignal;
}

export interface ByteStream {
  readonly body: Readable;
  readonly mediaType: string;
  readonly sizeBytes: number | null;
  readonly fileName: string | null;
}

type Response<K extends OperationName> = (typeof ROUTES)[K]['response'];
export type Reply<K extends OperationName> =
  Response<K> extends 'stream'
    ? ByteStream | null
    : Response<K> extends 'text'
      ? string
      : Response<K> extends 'events'
        ? AsyncIterable<Event>
        : Response<K> extends 'nothing'
          ? undefined
          : // `null` answers 204, only where the contract says `mayBeEmpty`.
            Answer<K> | null;

/** One handler for each operation of the contract: a missing one does not compile. */
export type Handlers = { readonly [K in OperationName]: (call: Call<K>) => Promise<Reply<K>> };
