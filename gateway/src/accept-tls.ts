import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** In PEM: the certificate with its chain, and its key. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** The first byte of a TLS connection; no HTTP request begins with it. */
const HANDSHAKE = 0x16;
/** Whoever connects speaks first, and at once. */
const FIRST_BYTE_MS = 15_000;

/**
 * Lets a server take TLS and plain connections on the same port, so that the box's own services go on
 * by plain HTTP on their private network. Who may use which is for the request's handler to say.
 * To be called once all listeners for `connection` are there. Returns what a stop has to call: HTTP
 * knows nothing of connections that have not spoken yet, and so never ends them.
 */
export function acceptTls(server: Server, pair: TlsPair): () => void {
  const silent = new Map<string, Socket>();
  const listeners = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const serve = (socket: Socket) => {
    for (const listener of listeners) listener.call(server, socket);
  };
  const secure = createTlsServer(
    { ...pair, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'], handshakeTimeout: FIRST_BYTE_MS },
    (socket) => {
      silent.delete(peerOf(socket));
      serve(socket);
    },
  );
  secure.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('connection', (socket) => {
    const giveUp = setTimeout(() => socket.destroy(), FIRST_BYTE_MS);
    const onError = () => socket.destroy();
    socket.once('error', onError);
    const peer = peerOf(socket);
    silent.set(peer, socket);
    socket.once('close', () => {
      clearTimeout(giveUp);
      if (silent.get(peer) === socket) silent.delete(peer);
    });
    socket.once('data', (first) => {
      clearTimeout(giveUp);
      socket.off('error', onError);
      // Handed on as if nothing had been read of it.
      socket.pause();
      socket.unshift(first);
      if (first[0] === HANDSHAKE) secure.emit('connection', socket);
      else {
        silent.delete(peer);
        serve(socket);
      }
      process.nextTick(() => socket.resume());
    });
  });
  return () => {
    for (const socket of silent.values()) socket.destroy();
  };
}

/** The same for a connection and for what TLS makes of it. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

export function isEncrypted(socket: Socket): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}
