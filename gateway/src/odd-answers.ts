import type { ClientRequest, IncomingMessage } from 'node:http';

/** `103 Early Hints` comes once or twice; interim answers without end would keep this process busy for nothing. */
const MAX_INTERIM_ANSWERS = 16;

/** Ends a request whose release never comes to an answer; it then fails like one that got none. */
export function refuseEndlessInterim(proxyReq: ClientRequest): void {
  let interimCount = 0;
  proxyReq.on('information', () => {
    interimCount += 1;
    if (interimCount > MAX_INTERIM_ANSWERS) proxyReq.destroy(new Error('interim answers without end'));
  });
}

/** Node closes the connection of a request that is answered by 101 unasked, and tells nobody. */
export function refuseUnaskedUpgrade(proxyReq: ClientRequest): void {
  proxyReq.once('upgrade', (_response, socket) => {
    socket.destroy();
    proxyReq.emit('error', new Error('it switched protocols unasked'));
  });
}

/**
 * Leaves nothing in the head of an answer that node reads but would throw for when it writes it, or
 * that would frame the message otherwise than node does. False: the status is none, and 502 now.
 */
export function makeWritable(proxyRes: IncomingMessage): boolean {
  // The client gets the standard words; those of a release may hold any byte.
  proxyRes.statusMessage = '';
  delete proxyRes.headers['transfer-encoding'];
  const { statusCode = 0 } = proxyRes;
  if (statusCode >= 200 && statusCode <= 599) return true;
  proxyRes.statusCode = 502;
  return false;
}
