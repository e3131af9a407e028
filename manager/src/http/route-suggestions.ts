import { OPERATIONS } from '@dbox/contracts';

const PATTERNS = Object.values(OPERATIONS).map(([method, path]) => ({
  method,
  path,
  segments: path.split('/').slice(1),
}));

/** The methods that the path does take; empty for a path that no operation has. */
export function methodsOf(path: string): readonly string[] {
  const segments = path.split('/').slice(1);
  const found = PATTERNS.filter(
    (pattern) =>
      pattern.segments.length === segments.length &&
      pattern.segments.every((segment, n) => segment.startsWith(':') || segment === segments[n]),
  );
  return [...new Set(found.map(({ method }) => method))].sort();
}

/** Up to three operations with a path like this one, as `GET /v1/stories`. */
export function closeRoutes(path: string): readonly string[] {
  const segments = path.slice(0, 300).split('/').slice(1, 12);
  const ranked = PATTERNS.map((pattern) => ({
    label: `${pattern.method} ${pattern.path}`,
    distance: distanceOf(pattern.segments, segments),
  })).sort((a, b) => a.distance - b.distance || (a.label < b.label ? -1 : 1));
  const furthest = Math.min(4, ranked[0]!.distance + 1);
  return ranked
    .filter(({ distance }) => distance <= furthest)
    .slice(0, 3)
    .map(({ label }) => label);
}

/** Letters to change; a segment too many or too few counts three. */
function distanceOf(pattern: readonly string[], segments: readonly string[]): number {
  let sum = 3 * Math.abs(pattern.length - segments.length);
  for (let n = 0; n < Math.min(pattern.length, segments.length); n += 1) {
    if (!pattern[n]!.startsWith(':')) sum += editDistance(pattern[n]!, segments[n]!);
  }
  return sum;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
