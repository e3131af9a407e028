import type { ComposeNode, MapNode } from './compose-tree.ts';
import { readBytes } from './read-volumes.ts';
import type { Reading } from './reading.ts';

export interface Limits {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly pids: number;
}

/** The engine gives no less; and a limit of nothing would be none at all. */
const LEAST_MEMORY_BYTES = 6 * 1024 ** 2;
const LEAST_CPUS = 0.01;

type Asked = { -readonly [K in keyof Limits]: Limits[K] | null };

const DEPLOY_KEYS = [
  ...['endpoint_mode', 'labels', 'mode', 'placement', 'replicas', 'resources', 'restart_policy'],
  ...['rollback_config', 'update_config'],
];
const LIMIT_KEYS = ['cpus', 'memory', 'pids'];

/** `mem_limit`, `cpus`, `pids_limit` and `deploy.resources.limits`, not above what the box allows. */
export function readLimits(service: MapNode, most: Limits, reading: Reading): Asked {
  const asked: Asked = { memoryBytes: null, cpus: null, pids: null };
  const at = (map: MapNode | null, key: string) => map?.entries.get(key)?.value;
  const limits = readDeploy(at(service, 'deploy'), reading);
  const memory = at(limits, 'memory') ?? at(service, 'mem_limit');
  if (memory)
    asked.memoryBytes = cap(
      readMemory(memory),
      most.memoryBytes,
      memory,
      `${most.memoryBytes / 1024 ** 2} MiB`,
    );
  const cpus = at(limits, 'cpus') ?? at(service, 'cpus');
  if (cpus) asked.cpus = cap(readCpus(cpus), most.cpus, cpus);
  const pids = at(limits, 'pids') ?? at(service, 'pids_limit');
  if (pids) asked.pids = cap(readPids(pids), most.pids, pids);
  return asked;

  function readNumber(node: ComposeNode, pattern: RegExp): number | null {
    const text = reading.text(node, 'a number');
    if (text === null) return null;
    return pattern.test(text) && Number(text) > 0
      ? Number(text)
      : reading.badValue(node, 'Write a number above 0.');
  }

  function readMemory(node: ComposeNode): number | null {
    const bytes = readBytes(node, reading);
    if (bytes === null || bytes >= LEAST_MEMORY_BYTES) return bytes;
    return reading.badValue(node, 'Write at least `6m`.');
  }

  function readCpus(node: ComposeNode): number | null {
    const cpus = readNumber(node, /^\d{1,4}(\.\d{1,6})?$/);
    return cpus === null || cpus >= LEAST_CPUS ? cpus : reading.badValue(node, 'Write at least `0.01`.');
  }

  /** -1 is how no limit at all is written. */
  function readPids(node: ComposeNode): number | null {
    return node.kind === 'text' && node.text === '-1'
      ? Number.MAX_SAFE_INTEGER
      : readNumber(node, /^\d{1,9}$/);
  }

  function cap(
    value: number | null,
    largest: number,
    node: ComposeNode,
    shown = String(largest),
  ): number | null {
    if (value === null || value <= largest) return value;
    reading.note(node.place, 'This is more than the box gives to one container.', `It gets ${shown}.`);
    return largest;
  }
}

/** The map of limits, if there is one. */
function readDeploy(node: ComposeNode | undefined, reading: Reading): MapNode | null {
  const deploy = node ? reading.map(node, '`deploy:` with `resources` below it') : null;
  if (deploy === null) return null;
  for (const [key, entry] of deploy.entries) {
    if (!DEPLOY_KEYS.includes(key) && !key.startsWith('x-')) reading.unknownKey(key, entry, DEPLOY_KEYS);
    if (key === 'replicas' && entry.value.kind === 'text' && entry.value.text !== '1') {
      reading.note(entry.keyPlace, 'One container of each service is run.', 'Leave `replicas` out.');
    }
  }
  const resourcesNode = deploy.entries.get('resources')?.value;
  const resources = resourcesNode ? reading.map(resourcesNode, '`limits:`') : null;
  if (resources === null) return null;
  for (const [key, entry] of resources.entries) {
    if (key === 'reservations') refuseDevices(entry.value, reading);
    else if (key !== 'limits' && !key.startsWith('x-'))
      reading.unknownKey(key, entry, ['limits', 'reservations']);
  }
  const limitsNode = resources.entries.get('limits')?.value;
  const limits = limitsNode ? reading.map(limitsNode, '`memory: 512m`') : null;
  for (const [key, entry] of limits?.entries ?? []) {
    if (!LIMIT_KEYS.includes(key) && !key.startsWith('x-')) reading.unknownKey(key, entry, LIMIT_KEYS);
  }
  return limits;
}

function refuseDevices(reservations: ComposeNode, reading: Reading): void {
  const devices = reservations.kind === 'map' ? reservations.entries.get('devices') : undefined;
  if (!devices) return;
  reading.add(devices.keyPlace, {
    code: 'refused_key',
    message: 'Containers get no devices of this machine.',
    hint: 'Leave `devices` out.',
  });
}
