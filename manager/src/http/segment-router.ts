import { type Result, type Router, UnsupportedPathError } from 'hono/router';

interface Pattern<T> {
  readonly segments: readonly string[];
  /** The name of the parameter at each place; null where the segment stands as it is. */
  readonly names: readonly (string | null)[];
  readonly handler: T;
}

/**
 * Routes by whole segments, each a word or a `:parameter`; anything else is for another router. Hono's
 * fast router does not take `/v1/jobs/lease` beside `/v1/jobs/:jobId/…`, and its general one costs
 * four times as much as all other work on a heartbeat together.
 */
export class SegmentRouter<T> implements Router<T> {
  readonly name = 'SegmentRouter';
  readonly #fixed = new Map<string, Result<T>>();
  /** By method and number of segments. */
  readonly #patterns = new Map<string, Pattern<T>[]>();

  add(method: string, path: string, handler: T): void {
    if (method === 'ALL' || /[*{}?]/.test(path)) throw new UnsupportedPathError(path);
    const segments = path.split('/');
    const names = segments.map((segment) => (segment.startsWith(':') ? segment.slice(1) : null));
    const key = names.every((name) => name === null) ? `${method} ${path}` : `${method} ${segments.length}`;
    if (key.includes('/')) {
      if (this.#fixed.has(key)) throw new UnsupportedPathError(path);
      this.#fixed.set(key, [[[handler, {}]]]);
      return;
    }
    const patterns = this.#patterns.get(key) ?? [];
    patterns.push({ segments, names, handler });
    this.#patterns.set(key, patterns);
  }

  match(method: string, path: string): Result<T> {
    const fixed = this.#fixed.get(`${method} ${path}`);
    if (fixed) return fixed;
    const segments = path.split('/');
    for (const { segments: wanted, names, handler } of this.#patterns.get(`${method} ${segments.length}`) ??
      []) {
      // An empty parameter is no value: `/v1/stories/` is another address than a story's.
      const matches = wanted.every((segment, n) =>
        names[n] === null ? segment === segments[n] : segments[n] !== '',
      );
      if (!matches) continue;
      const params: Record<string, string> = {};
      names.forEach((name, n) => {
        if (name !== null) params[name] = segments[n]!;
      });
      return [[[handler, params]]];
    }
    return [[]];
  }
}
