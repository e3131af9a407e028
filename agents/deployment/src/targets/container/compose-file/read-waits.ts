import type { ServiceWait } from './compose-plan.ts';
import type { ComposeNode, MapNode } from './compose-tree.ts';
import type { Reading } from './reading.ts';

export interface DraftWait extends ServiceWait {
  readonly node: ComposeNode;
  /** False: it does not matter whether there is such a service. */
  readonly isRequired: boolean;
}

const CONDITIONS: Readonly<Record<string, ServiceWait['until']>> = {
  service_started: 'started',
  service_healthy: 'healthy',
  service_completed_successfully: 'completed',
};
const KEYS = ['condition', 'required', 'restart'];

export function readWaits(node: ComposeNode, reading: Reading): DraftWait[] {
  if (node.kind === 'map') {
    return [...node.entries].flatMap(([service, { value }]) => {
      const map = reading.map(value, '`condition: service_healthy`');
      return map === null ? [] : readLong(service, map, reading);
    });
  }
  const items = reading.list(node, 'a list of services')?.items ?? [];
  return items.flatMap((item) => {
    const service = reading.text(item, 'the name of a service');
    return service === null ? [] : [{ node: item, service, until: 'started' as const, isRequired: true }];
  });
}

function readLong(service: string, map: MapNode, reading: Reading): DraftWait[] {
  for (const [key, entry] of map.entries) {
    if (!KEYS.includes(key) && !key.startsWith('x-')) reading.unknownKey(key, entry, KEYS);
  }
  const requiredNode = map.entries.get('required')?.value;
  const isRequired = requiredNode ? reading.boolean(requiredNode) !== false : true;
  const conditionNode = map.entries.get('condition')?.value;
  const condition = conditionNode ? reading.text(conditionNode, '`service_healthy`') : 'service_started';
  if (condition === null) return [];
  if (!Object.hasOwn(CONDITIONS, condition)) {
    reading.badValue(conditionNode!, `Write one of ${Object.keys(CONDITIONS).join(', ')}.`);
    return [];
  }
  return [{ node: map, service, until: CONDITIONS[condition]!, isRequired }];
}
