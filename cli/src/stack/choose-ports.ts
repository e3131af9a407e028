import { createServer } from 'node:net';
import { CliError } from '../failure.ts';

/** How many other places are tried after the one asked for. */
const TRIES = 30;

export interface StackPorts {
  readonly manager: number;
  readonly gatewayFirst: number;
}

/**
 * Ports that can be published. Those of a former start are kept while they are free, so that sites
 * keep their addresses; what runs already keeps its own.
 */
export async function choosePorts(o: {
  readonly wanted: StackPorts;
  readonly gatewayCount: number;
  readonly host: string;
  /** Services of this box that hold their ports themselves. */
  readonly running: ReadonlySet<string>;
}): Promise<StackPorts> {
  const manager = o.running.has('manager')
    ? o.wanted.manager
    : await firstFree(o.host, { first: o.wanted.manager, width: 1, step: 1 });
  const gatewayFirst = o.running.has('gateway')
    ? o.wanted.gatewayFirst
    : await firstFree(o.host, { first: o.wanted.gatewayFirst, width: o.gatewayCount, step: o.gatewayCount });
  return { manager, gatewayFirst };
}

async function firstFree(
  host: string,
  range: { readonly first: number; readonly width: number; readonly step: number },
): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const first = range.first + tries * range.step;
    if (first + range.width > 65_536) break;
    if (await areFree(host, first, range.width)) return first;
  }
  throw new CliError('failed', `No free ports were found from ${range.first} on.`, {
    hint: 'Choose others with DBOX_PORT and DBOX_GATEWAY_PORT.',
  });
}

async function areFree(host: string, first: number, width: number): Promise<boolean> {
  const looks = Array.from({ length: width }, (_, n) => isFree(host, first + n));
  return (await Promise.all(looks)).every((free) => free);
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
