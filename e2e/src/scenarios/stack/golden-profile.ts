import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { page } from '../../recorded-task.ts';
import type { Scenario } from '../../scenario.ts';
import { DOCKER, deliver, stackOf } from '../../scenario.ts';
import { profileOf, type StackProfile, serviceOf } from '../../stack-profile.ts';

/** `npm run e2e -- --docker --update-golden golden` writes it anew; what changed is then for a person to see. */
const GOLDEN = join(import.meta.dirname, '../../../golden/stack.json');

export const goldenProfile: Scenario = {
  name: 'every running container has the rights of the golden profile, and none has more than it needs',
  modes: DOCKER,
  async run(box) {
    await box.ok(['up']);
    await deliver(box, 'golden', [{ id: 'golden', attempts: [page('golden')], acceptance: '  - url: /\n' }]);
    const stack = stackOf(box);
    const containers = (await stack.containers()).filter(
      ({ Config, State }) => State.Running && [undefined, 'golden'].includes(Config.Labels['dbox.project']),
    );
    const found: Record<string, StackProfile> = {};
    for (const container of containers) found[serviceOf(container)] = profileOf(container, stack.name);
    const profile = Object.fromEntries(Object.entries(found).sort(([one], [two]) => (one < two ? -1 : 1)));
    for (const [service, rights] of Object.entries(profile)) assertLeast(service, rights);

    const text = `${JSON.stringify(profile, null, 2)}\n`;
    if (process.argv.includes('--update-golden')) await writeFile(GOLDEN, text);
    assert.deepEqual(profile, JSON.parse(await readFile(GOLDEN, 'utf8')), 'the golden profile has changed');
  },
};

/** What no golden file may ever allow. */
function assertLeast(service: string, rights: StackProfile): void {
  const says = (what: string) => `${service}: ${what}: ${JSON.stringify(rights)}`;
  assert.equal(rights.privileged, false, says('is privileged'));
  assert.deepEqual(rights.capDrop, ['ALL'], says('keeps capabilities'));
  assert.ok(rights.securityOptions.includes('no-new-privileges'), says('may gain privileges'));
  assert.equal(rights.readOnlyRoot, true, says('writes its own root'));
  // Postgres reaps by itself, and an init that may not signal its user would end it unasked.
  assert.equal(rights.init, service !== 'task-store', says('reaps nothing'));
  assert.ok(rights.pidsLimit !== null && rights.memoryMb !== null, says('has no limits'));
  assert.equal(rights.hasHealthCheck || service === 'release', true, says('has no health check'));
  assert.deepEqual(rights.hostNamespaces, [], says('shares namespaces of the host'));
  assert.ok(rights.logLimit !== null, says('may fill the disk with its log'));
  // The store's entry point becomes another user by itself; see the processes below.
  if (service !== 'task-store') {
    assert.notEqual(rights.user, 'root', says('is root'));
    assert.deepEqual(rights.capAdd, [], says('adds capabilities'));
  }
  const hasSocket = rights.mounts.some((mount) => mount.includes('docker.sock'));
  assert.equal(hasSocket, service === 'deployment-agent', says('holds the engine'));
  const hasShare = rights.mounts.some((mount) => mount.includes(':/workspace'));
  assert.equal(hasShare, service === 'manager', says('mounts the share'));
  const isPublished = rights.published !== null;
  assert.equal(isPublished, ['manager', 'gateway'].includes(service), says('publishes ports'));
  if (rights.published !== null) assert.deepEqual(rights.published.addresses, ['127.0.0.1'], says('is open'));
}
