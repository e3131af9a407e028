import type { Event } from '@dbox/contracts';

/**
 * The text an event's hash is taken of: the previous event's hash, then the canonical JSON of all
 * fields but `hash`. The hashing itself is the store's, for this room uses no node: module.
 *
 * `canonicalData` may be passed by a caller that has it already; it must be `canonicalJson(event.data)`.
 */
export function eventHashText(
  previousHash: string,
  event: Omit<Event, 'hash'>,
  canonicalData: string = canonicalJson(event.data),
): string {
  // The fields by hand, in the order of their names: an append is on the hot path of every transaction.
  return (
    `${previousHash}{"actor":${JSON.stringify(event.actor)},"at":${JSON.stringify(event.at)},` +
    `"data":${canonicalData},"seq":${event.seq},"subject":${JSON.stringify(event.subject)},` +
    `"type":${JSON.stringify(event.type)}}`
  );
}

/**
 * JSON with the keys of every object sorted by UTF-16 code units and no white space, as RFC 8785
 * has it, so that equal values have equal texts. Throws on what JSON cannot hold.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} is not JSON`);
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  ) {
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`a ${typeof value} is not JSON`);
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key];
    // As JSON.stringify does: an optional field that is not there.
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}
