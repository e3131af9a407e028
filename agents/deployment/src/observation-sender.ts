import { type Clock, callManager } from '@dbox/agent-sdk';
import type { Client, ReleaseObservation } from '@dbox/contracts';

/** Tells the manager what happened to releases, each release's in order, at least once. */
export interface ObservationSender {
  send(observation: ReleaseObservation): void;
  /** Resolves when all that was given before is sent or refused. */
  flush(): Promise<void>;
  close(): void;
}

/** While the manager is away; of older ones only the end of the story matters. */
const MAX_WAITING = 200;

export function createObservationSender(o: {
  readonly client: Client;
  readonly clock: Clock;
  readonly warn: (message: string, data: object) => void;
}): ObservationSender {
  const closing = new AbortController();
  const waiting: ReleaseObservation[] = [];
  let sending: Promise<void> | null = null;

  async function sendAll(): Promise<void> {
    for (;;) {
      const observation = waiting.shift();
      if (!observation || closing.signal.aborted) return;
      const { releaseId } = observation;
      try {
        await callManager(
          (signal) => o.client.call('observeRelease', { params: { releaseId }, body: observation, signal }),
          { caller: 'agent', signal: closing.signal, giveUpAfterMs: null, clock: o.clock },
        );
      } catch (error) {
        if (!closing.signal.aborted) {
          o.warn('an observation was refused', { releaseId, type: observation.type, error: String(error) });
        }
      }
    }
  }

  function ensureSending(): void {
    sending ??= sendAll().finally(() => {
      sending = null;
      if (waiting.length > 0 && !closing.signal.aborted) ensureSending();
    });
  }

  return {
    send(observation) {
      if (closing.signal.aborted) return;
      waiting.push(observation);
      if (waiting.length > MAX_WAITING) waiting.shift();
      ensureSending();
    },
    async flush() {
      while (sending !== null) await sending;
    },
    close: () => closing.abort(),
  };
}
