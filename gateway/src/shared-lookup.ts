import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

type Callback = Parameters<LookupFunction>[2];

/**
 * Looks each name up once at a time, however many wait for it. Node does it in a handful of threads that
 * all releases share: the name of a container that has ended takes seconds to be denied, and its
 * visitors would keep those of every other release waiting. Nothing is kept: an address may be another
 * container's a moment later.
 */
export function createSharedLookup(find: LookupFunction = lookup as LookupFunction): LookupFunction {
  const waiting = new Map<string, Callback[]>();
  return (hostname, options, callback) => {
    const key = `${hostname} ${JSON.stringify(options)}`;
    const others = waiting.get(key);
    if (others) {
      others.push(callback);
      return;
    }
    const all = [callback];
    waiting.set(key, all);
    find(hostname, options, (...found) => {
      waiting.delete(key);
      for (const one of all) one(...found);
    });
  };
}
