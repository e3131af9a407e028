import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readComposeFile } from '../compose-file/read-compose-file.ts';
import { DEFAULT_LIMITS } from '../container-template.ts';
import { serviceSpec } from './service-template.ts';

const MOST = { memoryBytes: 1024 ** 3, cpus: 1, pids: 256 };

function read(text: string) {
  return readComposeFile({ text, file: 'compose.yaml', settings: {}, boxName: 'dbox', most: MOST });
}

function specsOf(text: string) {
  const { plan, findings } = read(text);
  assert.ok(plan, JSON.stringify(findings));
  return new Map(
    plan.services.map((service) => [
      service.name,
      serviceSpec({
        service,
        image: 'sha256:1',
        imageCommand: { entrypoint: [], cmd: [] },
        labels: {},
        network: 'own',
        aliases: [service.name, ...service.aliases],
        mounts: [],
        boxEnvironment: {},
        hasSettings: false,
        limits: DEFAULT_LIMITS,
        restarts: false,
      }),
    ]),
  );
}

test('what is on the network of all releases cannot take the name of another by its host name', () => {
  const specs = specsOf(`
services:
  web: { build: ., hostname: dbox-rel-0123456789, ports: ["8080"] }
  queue: { image: "rabbitmq:4", hostname: queue-1 }
`);
  const web = specs.get('web')!;
  assert.equal(web.Hostname, undefined);
  assert.deepEqual(web.NetworkingConfig.EndpointsConfig.own?.Aliases, ['web', 'dbox-rel-0123456789']);
  assert.equal(specs.get('queue')!.Hostname, 'queue-1');
});

test('memory for temporary files is never more than all memory', () => {
  const web = specsOf(`
services:
  web: { build: ., tmpfs: "/cache:size=900000t", shm_size: 900000t, mem_limit: 64m }
`).get('web')!;
  assert.match(web.HostConfig.Tmpfs['/cache']!, /size=67108864$/);
  assert.equal(web.HostConfig.ShmSize, 64 * 1024 ** 2);
});

for (const limit of ['mem_limit: 1k', 'cpus: 0.000001', 'deploy: {resources: {limits: {memory: 500k}}}']) {
  test(`a limit so small that it would be none is refused: ${limit}`, () => {
    const { plan, findings } = read(`services:\n  web: { build: ., ${limit} }\n`);
    assert.equal(plan, null);
    assert.match(findings[0]?.hint ?? '', /at least/);
  });
}
