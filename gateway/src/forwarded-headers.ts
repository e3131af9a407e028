import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isEncrypted } from './accept-tls.ts';

/** RFC 9110 §7.6.1: these speak of one connection and end at each proxy. `transfer-encoding` is left to node, which frames the body anew. */
const HOP_BY_HOP = ['connection', 'proxy-connection', 'keep-alive', 'te', 'trailer', 'upgrade'];
/** What a client says about earlier hops is not to be trusted; `forwarded` and `x-real-ip` say the same in other words. */
const CLAIMED = ['forwarded', 'x-real-ip', 'proxy-authorization'];

export function dropHopByHop(headers: IncomingHttpHeaders): void {
  const named = `${headers.connection ?? ''},${headers['proxy-connection'] ?? ''}`;
  for (const name of named.split(',')) {
    const token = name.trim().toLowerCase();
    // A message must not use this to strip what frames its body or names its host.
    if (token !== 'transfer-encoding' && token !== 'content-length' && token !== 'host')
      delete headers[token];
  }
  for (const name of HOP_BY_HOP) delete headers[name];
}

/** Turns the headers a client sent into those its release gets. `upgrade` keeps the two that ask for a WebSocket. */
export function prepareRequestHeaders(req: IncomingMessage, options: { readonly upgrade: boolean }): void {
  const { headers } = req;
  const upgrade = headers.upgrade;
  dropHopByHop(headers);
  for (const name of Object.keys(headers)) {
    if (name.startsWith('x-forwarded-') || CLAIMED.includes(name)) delete headers[name];
  }
  if (options.upgrade && upgrade !== undefined) {
    headers.connection = 'Upgrade';
    headers.upgrade = upgrade;
  }
  // The server has already answered `100 Continue`.
  delete headers.expect;
  headers['x-forwarded-for'] = req.socket.remoteAddress ?? '';
  headers['x-forwarded-proto'] = isEncrypted(req.socket) ? 'https' : 'http';
  headers['x-forwarded-port'] = String(req.socket.localPort ?? '');
  if (headers.host !== undefined) headers['x-forwarded-host'] = headers.host;
}

/** Whether the request carries a body, by its framing. */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = headers['content-length'];
  return length !== undefined && length !== '0';
}
