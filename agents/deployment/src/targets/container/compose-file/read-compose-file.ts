import { posix } from 'node:path';
import type { Finding } from '@dbox/contracts';
import { closestWord } from '../findings/closest-word.ts';
import { createFindingList, quoted } from '../findings/finding-list.ts';
import { chooseRoles } from './choose-roles.ts';
import type { ComposePlan, ComposeService, ServiceRole } from './compose-plan.ts';
import type { MapNode } from './compose-tree.ts';
import { parseComposeTree } from './compose-tree.ts';
import { orderServices } from './order-services.ts';
import { readDeclarations } from './read-declarations.ts';
import { portOf } from './read-labels.ts';
import type { Limits } from './read-limits.ts';
import type { DraftService, ServiceRules } from './read-service.ts';
import { readService } from './read-service.ts';
import type { Settings } from './reading.ts';
import { Reading } from './reading.ts';

export interface ComposeFile {
  readonly text: string;
  /** Its path in the commit; paths within it are relative to its directory. */
  readonly file: string;
  /** Null at a build, which knows none: what asks for a setting is then taken to be set, and empty. */
  readonly settings: Settings;
  /** Images of this name are the box's own. */
  readonly boxName: string;
  /** What one container may have at most. */
  readonly most: Limits;
}

export interface ReadComposeFile {
  /** Null where the findings hold an error. */
  readonly plan: ComposePlan | null;
  /** Warnings say what of the file is not used. */
  readonly findings: Finding[];
}

const MAX_SERVICES = 20;
/** A release that takes longer to end holds up the one after it. */
const MAX_STOP_GRACE_MS = 60_000;
const IGNORED = ['name', 'version'];
const REFUSED: Readonly<Record<string, { message: string; hint: string }>> = {
  include: { message: 'Other files are not included.', hint: 'Write the services into this file.' },
  secrets: {
    message: 'Secrets as files are not supported.',
    hint: 'Set each with `dbox env set PROJECT KEY` and name it below `environment` of its service.',
  },
  configs: { message: 'Configs are not supported.', hint: 'COPY the files in a Dockerfile.' },
  models: { message: 'Models are not supported.', hint: 'Leave `models` out.' },
};

/**
 * Reads a project's own compose file, which anybody may have written, and rebuilds what it asks for.
 * Whatever is not known is refused, and so is all that would open the host or another project.
 */
export function readComposeFile({ text, file, settings, boxName, most }: ComposeFile): ReadComposeFile {
  const findings = createFindingList(file);
  const reading = new Reading(findings, settings);
  const tree = parseComposeTree(text, findings);
  const rules = { baseDir: posix.dirname(file), boxName, most, maxStopGraceMs: MAX_STOP_GRACE_MS };
  const plan = tree === null ? null : readTree(tree, rules, reading);
  return { plan: findings.hasError() ? null : plan, findings: findings.sorted() };
}

function readTree(tree: MapNode, rules: ServiceRules, reading: Reading): ComposePlan | null {
  for (const [key, entry] of tree.entries) {
    if (['services', 'volumes', 'networks', ...IGNORED].includes(key) || key.startsWith('x-')) continue;
    if (Object.hasOwn(REFUSED, key)) reading.add(entry.keyPlace, { code: 'refused_key', ...REFUSED[key]! });
    else reading.unknownKey(key, entry, ['services', 'volumes', 'networks', ...IGNORED]);
  }
  const at = (key: string) => tree.entries.get(key)?.value;
  const declared = {
    volume: readDeclarations(at('volumes'), 'volume', reading),
    network: readDeclarations(at('networks'), 'network', reading),
  };
  const read = readServices(tree, rules, reading);
  if (read === null) return null;
  const { services, leftOut } = read;
  for (const service of services) {
    for (const { volume, node } of service.volumes) refuseUndeclared('volume', volume, node);
    for (const { name, node } of service.networks) {
      if (name !== 'default') refuseUndeclared('network', name, node);
    }
  }
  const ordered = orderServices(services, leftOut, reading);
  if (ordered === null) return null;
  const roles = chooseRoles(ordered, reading);
  if (roles === null) return null;
  for (const service of ordered) {
    if (roles.roleOf(service) !== 'stateful' || service.volumes.length > 0) continue;
    const message = `${quoted(service.name)} lives on across releases, but has no named volume.`;
    reading.note(
      service.place,
      message,
      'Mount one where it keeps its data, so that a new container finds it.',
    );
  }
  const volumes = new Set(ordered.flatMap((service) => service.volumes.map(({ volume }) => volume)));
  return {
    services: ordered.map((service) => finish(service, roles.roleOf(service), reading)),
    web: roles.web.name,
    volumes: [...volumes],
  };

  function refuseUndeclared(
    noun: 'volume' | 'network',
    name: string,
    node: { place: MapNode['place'] },
  ): void {
    if (declared[noun].has(name)) return;
    const near = closestWord(name, declared[noun]);
    const hint =
      near === null
        ? `Add \`${name}:\` below \`${noun}s:\` at the top level.`
        : `Did you mean ${quoted(near)}?`;
    reading.add(node.place, {
      code: `unknown_${noun}`,
      message: `There is no ${noun} ${quoted(name)}.`,
      hint,
    });
  }
}

function readServices(
  tree: MapNode,
  rules: ServiceRules,
  reading: Reading,
): { services: DraftService[]; leftOut: ReadonlySet<string> } | null {
  const node = tree.entries.get('services');
  const map = node === undefined ? null : reading.map(node.value, '`services:` with a service below it');
  if (map === null || map.entries.size === 0) {
    if (node === undefined || map !== null) {
      const hint = 'Write `services:` and a service below it.';
      reading.add(tree.place, { code: 'missing_key', message: 'The file has no services.', hint });
    }
    return null;
  }
  const services: DraftService[] = [];
  const leftOut = new Set<string>();
  let count = 0;
  let isWhole = true;
  for (const [name, entry] of map.entries) {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(name)) {
      const message = `${quoted(name)} is no name of a service.`;
      reading.add(entry.keyPlace, { code: 'bad_key', message, hint: 'Write letters, digits, `-` and `_`.' });
      isWhole = false;
      continue;
    }
    const profiles = entry.value.kind === 'map' ? entry.value.entries.get('profiles')?.value : undefined;
    if (profiles && !(profiles.kind === 'list' && profiles.items.length === 0)) {
      const message = `The service ${quoted(name)} is left out: it is of a profile.`;
      reading.note(entry.keyPlace, message, 'Leave `profiles` out to run it with each release.');
      leftOut.add(name);
      continue;
    }
    if (++count > MAX_SERVICES) {
      const message = `The file has more than ${MAX_SERVICES} services.`;
      return reading.add(entry.keyPlace, { code: 'too_large', message, hint: 'Split the project.' });
    }
    const service = readService(name, entry, { rules, reading });
    if (service === null) isWhole = false;
    else services.push(service);
  }
  if (services.length === 0 && isWhole) {
    const hint = 'Leave `profiles` out at least once.';
    reading.add(node!.keyPlace, { code: 'missing_key', message: 'All services are of profiles.', hint });
  }
  // What a service that cannot be read means to the others would be guessed.
  return isWhole && services.length > 0 ? { services, leftOut } : null;
}

function finish(service: DraftService, role: ServiceRole, reading: Reading): ComposeService {
  const { place: _, labels, ports, exposed, networks: __, variables, ...rest } = service;
  const secretNames = new Set(variables.secretNames);
  const environment = Object.fromEntries(variables.variables);
  // The project's own code gets what any release gets; an image of others only what the file gives it.
  if (service.source.kind === 'build') {
    for (const [key, value] of Object.entries(reading.settings())) {
      if (Object.hasOwn(environment, key)) continue;
      environment[key] = value;
      secretNames.add(key);
    }
  }
  return {
    ...rest,
    role,
    port: role === 'web' ? portToUse(service, reading) : null,
    environment,
    secretNames: [...secretNames],
    volumes: service.volumes.map(({ volume, path, readOnly }) => ({ volume, path, readOnly })),
    waitsFor: service.waitsFor.map(({ service: name, until }) => ({ service: name, until })),
  };
}

function portToUse(
  { labels, ports, exposed, variables, place }: DraftService,
  reading: Reading,
): number | null {
  if (labels.port !== null) return labels.port;
  const all = [...new Set(ports.length > 0 ? ports : exposed)];
  // TLS ends before the container.
  const plain = all.filter((one) => one !== 443 && one !== 8443);
  const [port = null, other] = plain.length > 0 ? plain : all;
  if (other !== undefined) {
    const hint = `Choose another with \`labels: { dbox.port: "${other}" }\`.`;
    reading.note(place, `The traffic goes to port ${port} alone.`, hint);
  }
  return port ?? portOf(variables.variables.get('PORT') ?? '');
}
