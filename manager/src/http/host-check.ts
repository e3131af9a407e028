/**
 * Refuses requests under a name the box does not go by. A page on the internet may let its own name
 * resolve to 127.0.0.1 (DNS rebinding) and so reach the box from a person's browser; the `Host`
 * header then still holds the page's name.
 */
export function createHostCheck(ownNames: readonly string[]): (host: string | undefined) => boolean {
  const names = new Set(['localhost', '127.0.0.1', '[::1]', ...ownNames.map(bracketed)]);
  return (host) => host !== undefined && names.has(withoutPort(host.toLowerCase()));
}

function withoutPort(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon > host.lastIndexOf(']') && /^\d*$/.test(host.slice(colon + 1)) ? host.slice(0, colon) : host;
}

/** IPv6 addresses stand in brackets in a `Host` header, and seldom in a configuration. */
function bracketed(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes(':') && !lower.startsWith('[') ? `[${lower}]` : lower;
}
