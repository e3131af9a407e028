import { connect } from 'node:net';
import type { Engine } from '../../engine/engine.ts';

const INHIBIT = 'com.docker.network.bridge.inhibit_ipv4';
const TRY_MS = 500;
/** Whatever listens there or not: a host that is reached refuses, one that is not says nothing. */
const TRIED_PORT = 9;

/** Whether releases are as far from everything else as they should be; a sentence for each thing that is not. */
export async function inspectDevNetwork(o: {
  readonly engine: Engine;
  readonly network: string;
  /** Whether this agent is a container on it, and so can try what a release could. */
  readonly isOnIt: boolean;
}): Promise<readonly string[]> {
  const { network } = o;
  const found = await o.engine.inspectNetwork(network);
  if (found === null) {
    return [
      `the network ${network} is not there: create it with \`docker network create --internal ${network}\``,
    ];
  }
  const warnings: string[] = [];
  if (!found.Internal)
    warnings.push(`the network ${network} is not internal: releases can reach the internet`);
  const gateways = (found.IPAM?.Config ?? []).map(({ Gateway }) => Gateway).filter((address) => !!address);
  const isInhibited = found.Options[INHIBIT] === 'true';
  const reached = o.isOnIt ? await firstReached(gateways as string[]) : null;
  if (reached !== null) {
    warnings.push(
      `releases on the network ${network} can reach this host at ${reached}: recreate it with ${INHIBIT}`,
    );
  } else if (!isInhibited) {
    warnings.push(
      `the network ${network} has an address of the host: recreate it with the driver option ${INHIBIT}=true`,
    );
  }
  return warnings;
}

async function firstReached(addresses: readonly string[]): Promise<string | null> {
  for (const address of addresses) if (await answers(address)) return address;
  return null;
}

function answers(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: TRIED_PORT, timeout: TRY_MS });
    const finish = (isReached: boolean) => {
      socket.destroy();
      resolve(isReached);
    };
    socket.once('connect', () => finish(true));
    socket.once('timeout', () => finish(false));
    // A refusal is an answer.
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code === 'ECONNREFUSED'));
  });
}
