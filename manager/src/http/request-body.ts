import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { ProblemError } from '@dbox/contracts';
import type { Clock } from '../ports/clock.ts';

/** The client went away while it was sending: nobody is left to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

/**
 * In each window of this length a sender must bring this much, or the end. 30 s and 64 KiB let
 * through any line of 20 kbit/s on which 1 MiB takes minutes, and end a client that trickles bytes to
 * hold a connection.
 */
export interface BodyPace {
  readonly windowMs: number;
  readonly minBytes: number;
}
export const DEFAULT_BODY_PACE: BodyPace = { windowMs: 30_000, minBytes: 64 * 1024 };

export interface BodyLimits {
  readonly maxBytes: number;
  readonly pace: BodyPace;
  readonly clock: Clock;
}

/** Whether the request carries a body at all. */
export function hasBody(incoming: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
  return encoding !== undefined || (length !== undefined && length !== '0');
}

/** Throws for what is declared to be too large or is packed, before any of it is read. */
export function refuseByHeaders(incoming: IncomingMessage, maxBytes: number): void {
  const { 'content-length': length, 'content-encoding': encoding } = incoming.headers;
  if (length !== undefined && Number(length) > maxBytes) throw tooLarge(maxBytes);
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ProblemError(
      'invalid_request',
      `Send the body as it is, not packed with ${encoding.slice(0, 40)}.`,
    );
  }
}

/** All of a body. Past the limit it stops reading; what is left is for the server to drain or cut off. */
export function readWhole(incoming: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    listen(incoming, limits, {
      onChunk: (chunk) => chunks.push(chunk),
      onEnd: () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)),
      onFailure: reject,
    });
  });
}

/**
 * The body as a stream for a handler, bounded like all bodies. Destroying it leaves the connection
 * alone, so that an answer can still be sent.
 */
export function openStream(incoming: IncomingMessage, limits: BodyLimits): Readable {
  let ears: Ears | null = null;
  const stream = new Readable({
    read() {
      ears ??= listen(incoming, limits, {
        onChunk: (chunk) => {
          if (!stream.push(chunk)) ears?.pause();
        },
        onEnd: () => stream.push(null),
        onFailure: (error) => stream.destroy(error),
      });
      ears.resume();
    },
    destroy(error, done) {
      ears?.close();
      done(error);
    },
  });
  // A handler may drop the stream before it listens for errors; the failure reaches it through its reads.
  stream.on('error', () => {});
  return stream;
}

interface Ears {
  pause(): void;
  resume(): void;
  close(): void;
}

function listen(
  incoming: IncomingMessage,
  { maxBytes, pace, clock }: BodyLimits,
  hear: { onChunk(chunk: Buffer): void; onEnd(): void; onFailure(error: Error): void },
): Ears {
  let received = 0;
  let receivedBefore = 0;
  let paused = false;
  let pausedInWindow = false;
  let cancelWindow = clock.after(pace.windowMs, endWindow);

  function endWindow() {
    // Where the reader itself asked for a pause, the sender cannot be blamed.
    if (!pausedInWindow && received - receivedBefore < pace.minBytes) {
      fail(new ProblemError('invalid_request', 'The body came too slowly; send the request again.'));
      return;
    }
    receivedBefore = received;
    pausedInWindow = paused;
    cancelWindow = clock.after(pace.windowMs, endWindow);
  }
  function onData(chunk: Buffer) {
    received += chunk.length;
    if (received > maxBytes) fail(tooLarge(maxBytes));
    else hear.onChunk(chunk);
  }
  function onEnd() {
    close();
    hear.onEnd();
  }
  function onGone() {
    fail(new ClientGoneError('the client went away before its request was complete'));
  }
  function fail(error: Error) {
    close();
    hear.onFailure(error);
  }
  function close() {
    cancelWindow();
    incoming.off('data', onData);
    incoming.off('end', onEnd);
    incoming.off('close', onGone);
    incoming.off('error', onGone);
    if (!incoming.readableEnded) incoming.pause();
  }
  incoming.on('data', onData);
  incoming.on('end', onEnd);
  incoming.on('close', onGone);
  incoming.on('error', onGone);
  if (incoming.destroyed && !incoming.readableEnded) onGone();
  return {
    pause() {
      paused = true;
      pausedInWindow = true;
      incoming.pause();
    },
    resume() {
      if (!paused) return;
      paused = false;
      incoming.resume();
    },
    close,
  };
}

function tooLarge(maxBytes: number): ProblemError {
  const size = maxBytes >= 1024 * 1024 ? `${maxBytes / 1024 / 1024} MiB` : `${maxBytes} bytes`;
  return new ProblemError('payload_too_large', `The body is larger than the ${size} allowed here.`);
}
