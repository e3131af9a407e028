import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { type OperationName, ProblemError, ROUTES, type RouteContract } from '@dbox/contracts';
import type { Clock } from '../ports/clock.ts';
import { answerShape } from './answer-shape.ts';
import { writeBytes, writeNothing, writeText } from './answer-writer.ts';
import type { Authenticate } from './auth.ts';
import { writeEvents } from './event-stream.ts';
import type { ByteStream, Call, Caller, Handlers, Reply } from './handlers.ts';
import { parseJson } from './json-body.ts';
import { parsePart, readQuery } from './parse-request.ts';
import { type BodyPace, hasBody, openStream, readWhole, refuseByHeaders } from './request-body.ts';
import { ServedCall } from './served-call.ts';

export interface RouteHandlerOptions {
  readonly authenticate: Authenticate;
  readonly clock: Clock;
  readonly bodyPace: BodyPace;
  /** The signals of calls under way. */
  readonly open: Set<AbortController>;
}

export interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** As the router found them, decoded. */
  readonly pathParams: Record<string, string>;
}

const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;
const ANYONE: Caller = { role: 'anyone', actor: 'anyone', job: null };
const BEARER = /^Bearer +(\S{1,400}) *$/i;
const LINES_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/octet-stream', 'text/plain'];
/** The version parameter is what tells Prometheus how to read it. */
const TEXT_TYPES: { readonly [K in OperationName]?: string } = {
  getMetrics: 'text/plain; version=0.0.4; charset=utf-8',
};

/**
 * The one function that serves an operation: who calls, may they, what do they ask (all by the contract),
 * then the handler, then its answer. Throws `ProblemError` and bugs for the server to write down.
 */
export function createRouteHandler<K extends OperationName>(
  operation: K,
  handler: Handlers[K],
  options: RouteHandlerOptions,
): (exchange: Exchange) => Promise<void> {
  const contract: RouteContract = ROUTES[operation];
  const mayCall = createGate(operation, contract);
  const write = createWriter(operation, contract, options.clock);
  const maxBytes = contract.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
  const limits = { maxBytes, pace: options.bodyPace, clock: options.clock };

  return async ({ incoming, outgoing, pathParams }) => {
    const given = contract.roles === 'anyone' ? ANYONE : authenticateBearer(incoming, options.authenticate);
    const caller = given instanceof Promise ? await given : given;
    if (caller === null) throw unauthenticated();
    mayCall(caller, pathParams);

    const params = contract.params && parsePart(contract.params, pathParams, 'path');
    const rawQuery = readQuery(incoming.url ?? '', contract);
    if (contract.response === 'events') resumeAfter(incoming, rawQuery);
    const query = contract.query && parsePart(contract.query, rawQuery, 'query');

    let rawBody: Buffer | null = null;
    let body: unknown;
    let bytes: Readable | null = null;
    if (contract.body === undefined) {
      if (hasBody(incoming)) throw new ProblemError('invalid_request', 'This call takes no body; send none.');
    } else {
      refuseByHeaders(incoming, maxBytes);
      if (contract.body === 'stream' || contract.body === 'lines') {
        if (contract.body === 'lines') checkMediaType(incoming, LINES_TYPES);
        // A media type without bytes announces an empty body, as of an empty file; neither means none.
        if (hasBody(incoming) || incoming.headers['content-type'] !== undefined) {
          bytes = openStream(incoming, limits);
        }
      } else {
        checkMediaType(incoming, ['application/json']);
        rawBody = await readWhole(incoming, limits);
        body = parsePart(contract.body, parseJson(rawBody), 'body');
      }
    }

    const parts = { caller, params, query, body, bytes, rawBody, incoming, outgoing, open: options.open };
    try {
      // The contract that parsed this call is the one its type is made from.
      const reply = await handler(new ServedCall(parts) as unknown as Call<K>);
      const written = write(outgoing, reply);
      if (written) await written;
    } finally {
      bytes?.destroy();
    }
  };
}

function authenticateBearer(
  incoming: IncomingMessage,
  authenticate: Authenticate,
): Caller | null | Promise<Caller | null> {
  const header = incoming.headers.authorization;
  if (header === undefined) return null;
  const token = BEARER.exec(header)?.[1];
  return token === undefined ? null : authenticate(token);
}

function unauthenticated(): ProblemError {
  return new ProblemError(
    'unauthenticated',
    'A valid token is needed: send `Authorization: Bearer <token>`. The tokens of a box are in its workspace, in `secrets/`.',
  );
}

/** Denies by default. A job's token opens that job alone. */
function createGate(
  operation: OperationName,
  contract: RouteContract,
): (caller: Caller, pathParams: Record<string, string>) => void {
  const { roles } = contract;
  if (roles === 'anyone') return () => {};
  if (roles.includes('job') && !contract.params?.shape.jobId) {
    throw new TypeError(`${operation} is open to jobs but names no job in its path`);
  }
  const allowed = new Set<string>(roles);
  return (caller, pathParams) => {
    if (!allowed.has(caller.role)) {
      throw new ProblemError(
        'forbidden',
        `The role ${caller.role} may not do this; it is for ${roles.join(', ')}.`,
      );
    }
    if (caller.role === 'job' && caller.job?.jobId !== pathParams.jobId) {
      throw new ProblemError('forbidden', 'This token is for another job.');
    }
  };
}

/** `EventSource` repeats the address it began with, so what it saw last is newer than `after`. */
function resumeAfter(incoming: IncomingMessage, rawQuery: Record<string, string>): void {
  const last = incoming.headers['last-event-id'];
  if (typeof last === 'string' && last !== '') rawQuery.after = last;
}

function checkMediaType(incoming: IncomingMessage, accepted: readonly string[]): void {
  const header = incoming.headers['content-type'];
  if (header === accepted[0]) return;
  const mediaType = header?.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType === undefined || !accepted.includes(mediaType)) {
    throw new ProblemError(
      'invalid_request',
      `Send the body with \`Content-Type: ${accepted[0]}\`${header === undefined ? '' : `, not ${header.slice(0, 80)}`}.`,
    );
  }
}

type Writer = (outgoing: ServerResponse, reply: unknown) => Promise<void> | undefined;

function createWriter(operation: OperationName, contract: RouteContract, clock: Clock): Writer {
  switch (contract.response) {
    case 'nothing':
      return (outgoing) => {
        writeNothing(outgoing);
        return undefined;
      };
    case 'text': {
      const mediaType = TEXT_TYPES[operation] ?? 'text/plain; charset=utf-8';
      return (outgoing, reply) => {
        writeText(outgoing, 200, mediaType, reply as string);
        return undefined;
      };
    }
    case 'events':
      return (outgoing, reply) => writeEvents(outgoing, reply as Reply<'streamEvents'>, clock);
    case 'stream':
      return (outgoing, reply) => {
        if (reply === null) return writeEmpty(operation, contract, outgoing);
        return writeBytes(outgoing, reply as ByteStream);
      };
    default: {
      const pick = answerShape(contract.response);
      return (outgoing, reply) => {
        if (reply === null) return writeEmpty(operation, contract, outgoing);
        writeText(outgoing, 200, 'application/json', JSON.stringify(pick ? pick(reply) : reply));
        return undefined;
      };
    }
  }
}

function writeEmpty(operation: OperationName, contract: RouteContract, outgoing: ServerResponse): undefined {
  if (!contract.mayBeEmpty) throw new TypeError(`${operation} may not answer without a body`);
  writeNothing(outgoing);
}
