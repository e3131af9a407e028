import { quoted } from '../findings/finding-list.ts';
import type { ServiceRole } from './compose-plan.ts';
import type { DraftService } from './read-service.ts';
import type { Reading } from './reading.ts';
import { isStatefulImage } from './stateful-images.ts';

const MARK = '`labels: { dbox.web: "true" }`';

/** What each service is to the project; null with a finding where it cannot be told. */
export function chooseRoles(
  services: readonly DraftService[],
  reading: Reading,
): { web: DraftService; roleOf(service: DraftService): ServiceRole } | null {
  const awaited = new Set(
    services.flatMap((one) =>
      one.waitsFor.filter(({ until }) => until === 'completed').map(({ service }) => service),
    ),
  );
  const web = chooseWeb(
    services.filter((service) => !awaited.has(service.name)),
    services,
    reading,
  );
  if (web === null) return null;
  const roleOf = (service: DraftService): ServiceRole => {
    if (service === web) return 'web';
    if (service.labels.keep !== null && !awaited.has(service.name))
      return service.labels.keep ? 'stateful' : 'app';
    if (awaited.has(service.name)) return 'job';
    // What is built of the commit must be of the release's commit, whatever it mounts.
    if (service.source.kind === 'build') return 'app';
    return isStatefulImage(service.source.image) || service.volumes.length > 0 ? 'stateful' : 'app';
  };
  for (const service of services) {
    if (service.labels.keep !== true) continue;
    if (service !== web && !awaited.has(service.name)) continue;
    reading.add(service.place, {
      code: 'bad_value',
      message: `The service ${quoted(service.name)} cannot live on across releases: ${
        service === web ? 'it gets the traffic' : 'others wait for its end'
      }.`,
      hint: 'Leave its label `dbox.keep` out.',
    });
  }
  refuseWaitsOfTheKept(services, roleOf, reading);
  return { web, roleOf };
}

function chooseWeb(
  able: readonly DraftService[],
  all: readonly DraftService[],
  reading: Reading,
): DraftService | null {
  const marked = all.filter((service) => service.labels.web === true);
  if (marked.length > 1) return refuseSeveral(marked, reading);
  if (marked[0]) return marked[0];
  const possible = able.filter(
    ({ labels, source }) =>
      labels.web !== false &&
      labels.keep !== true &&
      (source.kind === 'build' || !isStatefulImage(source.image)),
  );
  // What is opened to the outside comes before what is opened to the others.
  const published = possible.filter((service) => service.ports.length > 0);
  if (published.length > 1) return refuseSeveral(published, reading);
  if (published[0]) return published[0];
  const exposed = possible.filter((service) => service.exposed.length > 0);
  if (exposed.length > 1) return refuseSeveral(exposed, reading);
  if (exposed[0]) return exposed[0];
  if (possible.length === 1) return possible[0]!;
  return reading.add(all[0]!.place, {
    code: 'no_web_service',
    message: 'None of the services is the one that gets the traffic.',
    hint: `Give it its port, as \`ports: ["8080"]\`, or ${MARK}. If this file only has what the project needs beside it, say in dbox.yaml how the project is run.`,
  });
}

function refuseSeveral(services: readonly DraftService[], reading: Reading): null {
  const names = services.map(({ name, place }) => `${name} (line ${place.line})`).join(', ');
  return reading.add(services[1]!.place, {
    code: 'several_web_services',
    message: `Only one service can get the traffic, and it may be any of ${names}.`,
    hint: `Mark it with ${MARK}, and no other.`,
  });
}

/** What lives on was there before the release that it would wait for. */
function refuseWaitsOfTheKept(
  services: readonly DraftService[],
  roleOf: (service: DraftService) => ServiceRole,
  reading: Reading,
): void {
  const byName = new Map(services.map((service) => [service.name, service]));
  for (const service of services) {
    if (roleOf(service) !== 'stateful') continue;
    for (const { service: name, node } of service.waitsFor) {
      const other = byName.get(name);
      if (!other || roleOf(other) === 'stateful') continue;
      reading.add(node.place, {
        code: 'kept_waits_for_release',
        message: `${quoted(service.name)} lives on across releases, so it cannot wait for ${quoted(name)}, which is of one release.`,
        hint: 'Take it out of `depends_on`, or label one of them with `dbox.keep`.',
      });
    }
  }
}
