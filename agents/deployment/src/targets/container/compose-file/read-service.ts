import { posix } from 'node:path';
import { quoted } from '../findings/finding-list.ts';
import { refuseImageName } from '../image-name.ts';
import type { ComposeService } from './compose-plan.ts';
import type { ComposeNode, MapEntry, MapNode } from './compose-tree.ts';
import { splitWords } from './quantities.ts';
import { readBuild } from './read-build.ts';
import type { DraftEnvironment } from './read-environment.ts';
import { readEnvironment } from './read-environment.ts';
import { durationAt, readHealthcheck } from './read-healthcheck.ts';
import type { DboxLabels } from './read-labels.ts';
import { readLabels } from './read-labels.ts';
import type { Limits } from './read-limits.ts';
import { readLimits } from './read-limits.ts';
import { readNetworks } from './read-networks.ts';
import { readPorts } from './read-ports.ts';
import type { DraftVolume } from './read-volumes.ts';
import { readBytes, readContainerPath, readTmpfs, readVolumes } from './read-volumes.ts';
import type { DraftWait } from './read-waits.ts';
import { readWaits } from './read-waits.ts';
import type { Reading } from './reading.ts';
import { IGNORED_KEYS, NOTED_KEYS, READ_KEYS, REFUSED_KEYS } from './service-keys.ts';

/** A service as the file has it, before it is known what it is to the others. */
export interface DraftService
  extends Omit<ComposeService, 'role' | 'port' | 'environment' | 'secretNames' | 'volumes' | 'waitsFor'> {
  readonly place: MapEntry['keyPlace'];
  readonly labels: DboxLabels;
  readonly ports: readonly number[];
  readonly exposed: readonly number[];
  readonly variables: DraftEnvironment;
  readonly volumes: readonly DraftVolume[];
  readonly waitsFor: readonly DraftWait[];
  /** Of the file's networks, with where they are named. */
  readonly networks: readonly { readonly name: string; readonly node: ComposeNode }[];
}

export interface ServiceRules {
  readonly baseDir: string;
  readonly boxName: string;
  readonly most: Limits;
  readonly maxStopGraceMs: number;
}

/** Null where it cannot be a service; whatever is wrong is among the findings. */
export function readService(
  name: string,
  entry: MapEntry,
  { rules, reading }: { readonly rules: ServiceRules; readonly reading: Reading },
): DraftService | null {
  const map = reading.map(entry.value, '`image: …` or `build: .` below the name of the service');
  if (map === null) return null;
  refuseKeys(map, reading);
  const optional = <T>(key: string, read: (node: ComposeNode, reading: Reading) => T): T | null => {
    const node = map.entries.get(key)?.value;
    // `key:` with nothing behind it is what people leave when they comment its lines out.
    return node === undefined || (node.kind === 'text' && node.type === 'null') ? null : read(node, reading);
  };
  const source = readSource(name, map, { rules, reading });
  const { volumes, tmpfs } = optional('volumes', readVolumes) ?? { volumes: [], tmpfs: [] };
  const { networks, aliases } = optional('networks', readNetworks) ?? { networks: [], aliases: [] };
  const containerName = optional('container_name', readHostName);
  const draft = {
    name,
    place: entry.keyPlace,
    labels: readLabels(map.entries.get('labels')?.value, reading),
    command: optional('command', readCommand),
    entrypoint: optional('entrypoint', readCommand),
    variables: optional('environment', readEnvironment) ?? { variables: new Map(), secretNames: new Set() },
    ports: optional('ports', readPorts) ?? [],
    exposed: optional('expose', readPorts) ?? [],
    aliases: containerName === null ? aliases : [...new Set([...aliases, containerName])],
    hostname: optional('hostname', readHostName),
    networks,
    volumes,
    tmpfs: [...tmpfs, ...(optional('tmpfs', readTmpfs) ?? [])],
    waitsFor: optional('depends_on', readWaits) ?? [],
    healthcheck: optional('healthcheck', readHealthcheck),
    user: optional('user', readUser),
    workingDir: optional('working_dir', (node) =>
      readContainerPath(reading.text(node, 'a path'), node, reading),
    ),
    stopGraceMs: readStopGrace(map, rules.maxStopGraceMs, reading),
    stopSignal: optional('stop_signal', readSignal),
    init: optional('init', (node) => reading.boolean(node)) ?? false,
    readOnly: optional('read_only', (node) => reading.boolean(node)) ?? false,
    shmBytes: optional('shm_size', readBytes),
    limits: readLimits(map, rules.most, reading),
  };
  refuseTwoAtOnePath(draft, map, reading);
  return source === null ? null : { ...draft, source };
}

function refuseKeys(map: MapNode, reading: Reading): void {
  for (const [key, entry] of map.entries) {
    if (READ_KEYS.has(key) || IGNORED_KEYS.has(key) || key.startsWith('x-')) continue;
    if (Object.hasOwn(NOTED_KEYS, key))
      reading.note(entry.keyPlace, `\`${key}\` is not used.`, NOTED_KEYS[key]!);
    else if (!Object.hasOwn(REFUSED_KEYS, key)) {
      reading.unknownKey(key, entry, [...READ_KEYS, ...IGNORED_KEYS, ...Object.keys(NOTED_KEYS)]);
    } else if (!isHarmless(key, entry.value)) {
      reading.add(entry.keyPlace, { code: 'refused_key', ...REFUSED_KEYS[key]! });
    }
  }
}

/** What the box does anyway, or what asks for nothing. */
function isHarmless(key: string, value: ComposeNode): boolean {
  if (value.kind === 'list') {
    const isKept = (item: ComposeNode) =>
      item.kind === 'text' && /^no-new-privileges([:=]true)?$/.test(item.text);
    return value.items.length === 0 || (key === 'security_opt' && value.items.every(isKept));
  }
  if (value.kind === 'map') return value.entries.size === 0;
  if (value.type === 'null') return true;
  if (key === 'privileged' || key === 'oom_kill_disable' || key === 'use_api_socket')
    return value.text === 'false';
  return (key === 'ipc' || key === 'cgroup') && value.text === 'private';
}

function readSource(
  name: string,
  map: MapNode,
  { rules, reading }: { readonly rules: ServiceRules; readonly reading: Reading },
): DraftService['source'] | null {
  const image = map.entries.get('image')?.value;
  const build = map.entries.get('build')?.value;
  if (build) {
    if (image) reading.note(image.place, '`image` is not used.', 'The box names what it builds itself.');
    return readBuild(build, rules.baseDir, reading);
  }
  if (!image) {
    return reading.add(map.place, {
      code: 'missing_key',
      message: `The service ${quoted(name)} has neither \`image\` nor \`build\`.`,
      hint: 'Add `image: postgres:17`, or `build: .` for a Dockerfile of the project.',
    });
  }
  const written = reading.text(image, 'the name of an image');
  if (written === null) return null;
  const refusal = refuseImageName(written, { boxName: rules.boxName });
  return refusal === null
    ? { kind: 'image', image: written }
    : reading.add(image.place, { code: 'bad_image', ...refusal });
}

function readCommand(node: ComposeNode, reading: Reading): string[] | null {
  const texts = reading.texts(node, 'a command');
  if (texts === null || node.kind === 'list') return texts;
  return splitWords(texts[0]!) ?? reading.badValue(node, 'Close the quotes.');
}

function readUser(node: ComposeNode, reading: Reading): string | null {
  const text = reading.text(node, 'a user, such as `1000:1000`');
  if (text === null || /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,60})?$/.test(text))
    return text;
  return reading.badValue(node, 'Write a user, such as `1000:1000`.');
}

function readSignal(node: ComposeNode, reading: Reading): string | null {
  const text = reading.text(node, 'a signal, such as `SIGINT`');
  if (text === null || /^(SIG)?[A-Z]{3,6}\d?$|^\d{1,2}$/.test(text)) return text;
  return reading.badValue(node, 'Write a signal, such as `SIGINT`.');
}

function readHostName(node: ComposeNode, reading: Reading): string | null {
  const text = reading.text(node, 'a name');
  if (text === null || /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(text)) return text;
  return reading.badValue(node, 'Write a name of letters, digits, `-` and `_`.');
}

function readStopGrace(map: MapNode, mostMs: number, reading: Reading): number | null {
  const asked = durationAt(map, 'stop_grace_period', reading);
  if (asked === null || asked <= mostMs) return asked;
  const { place } = map.entries.get('stop_grace_period')!.value;
  reading.note(place, 'This is longer than the box waits.', `It waits ${mostMs / 1000} s.`);
  return mostMs;
}

function refuseTwoAtOnePath(
  draft: Pick<DraftService, 'volumes' | 'tmpfs'>,
  map: MapNode,
  reading: Reading,
): void {
  const seen = new Set<string>();
  for (const { path } of [...draft.volumes, ...draft.tmpfs]) {
    const clean = posix.normalize(path);
    if (seen.has(clean)) {
      const place = map.entries.get('volumes')?.keyPlace ?? map.place;
      const message = `Two volumes are mounted at ${quoted(clean)}.`;
      reading.add(place, { code: 'bad_value', message, hint: 'Keep one of them.' });
    }
    seen.add(clean);
  }
}
