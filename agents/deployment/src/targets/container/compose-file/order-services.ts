import { closestWord } from '../findings/closest-word.ts';
import { quoted } from '../findings/finding-list.ts';
import type { DraftService } from './read-service.ts';
import type { DraftWait } from './read-waits.ts';
import type { Reading } from './reading.ts';

/** What is waited for before who waits; else as in the file. Null with a finding. */
export function orderServices(
  services: readonly DraftService[],
  leftOut: ReadonlySet<string>,
  reading: Reading,
): DraftService[] | null {
  const names = new Set(services.map(({ name }) => name));
  let isGood = true;
  const kept = services.map((service) => ({
    ...service,
    waitsFor: service.waitsFor.filter((wait) => {
      if (names.has(wait.service)) return true;
      if (wait.isRequired) isGood = refuseUnknown(wait);
      return false;
    }),
  }));
  if (!isGood) return null;
  const ordered: DraftService[] = [];
  const done = new Set<string>();
  while (ordered.length < kept.length) {
    const next = kept.find(
      (one) => !done.has(one.name) && one.waitsFor.every(({ service }) => done.has(service)),
    );
    if (next === undefined) {
      const circle = kept.filter(({ name }) => !done.has(name));
      const message = `These services wait for each other: ${circle.map(({ name }) => name).join(', ')}.`;
      const hint = 'Take one of them out of `depends_on` of another.';
      return reading.add(circle[0]!.place, { code: 'circle', message, hint });
    }
    ordered.push(next);
    done.add(next.name);
  }
  return ordered;

  function refuseUnknown({ service, node }: DraftWait): false {
    const near = closestWord(service, names);
    const [message, hint] = leftOut.has(service)
      ? [`The service ${quoted(service)} is left out: it is of a profile.`, 'Leave `profiles` out there.']
      : [
          `There is no service ${quoted(service)}.`,
          near === null ? 'Name a service of this file.' : `Did you mean ${quoted(near)}?`,
        ];
    reading.add(node.place, { code: 'unknown_service', message, hint });
    return false;
  }
}
