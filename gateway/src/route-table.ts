import type { Route } from '@dbox/contracts';

/** `<project>/<environment>`: neither may hold a slash. */
export type RouteKey = string;

export function routeKey(route: { readonly project: string; readonly environment: string }): RouteKey {
  return `${route.project}/${route.environment}`;
}

/**
 * Which route a request is for: `<project>.localhost` and `<environment>.<project>.localhost` name one
 * on every listener; `devsite`, addresses, `localhost` and names that somebody's proxy in front uses
 * mean the listener's own.
 */
export function routeKeyOf(hostHeader: string | undefined, own: RouteKey): RouteKey {
  const host = (hostHeader ?? '').toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  if (!host.endsWith('.localhost')) return own;
  const labels = host.slice(0, -'.localhost'.length).split('.');
  const [first = '', second] = labels;
  if (labels.length > 2) return host;
  return second === undefined
    ? routeKey({ project: first, environment: 'dev' })
    : routeKey({ project: second, environment: first });
}

/** The routes of one revision. A switch replaces the whole table by one assignment. */
export interface RouteTable<B> {
  readonly revision: number;
  /** Null: known, but nothing is live. A key that is absent is no route. */
  readonly backends: ReadonlyMap<RouteKey, B | null>;
}

export function makeRouteTable<B>(
  revision: number,
  routes: readonly Route[],
  backendOf: (releaseId: string, target: NonNullable<Route['target']>) => B,
): RouteTable<B> {
  const backends = new Map<RouteKey, B | null>();
  for (const route of routes) {
    const { releaseId, target } = route;
    backends.set(
      routeKey(route),
      releaseId === null || target === null ? null : backendOf(releaseId, target),
    );
  }
  return { revision, backends };
}
