import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { carrierSpec, DEFAULT_LIMITS, releaseSpec } from './container-template.ts';

const RELEASE = {
  box: 'dbox',
  releaseId: 'rel_0000000001',
  project: 'demo',
  environment: 'dev',
  commit: 'c'.repeat(40),
  image: `sha256:${'1'.repeat(64)}`,
  user: null,
  port: 8080,
  network: 'dbox_dev',
  limits: DEFAULT_LIMITS,
  dataVolume: 'dbox-data-demo_dev',
  settingsVolume: 'dbox-set-rel-0000000001',
  command: { entrypoint: ['/bin/sh', '-c', '. x; exec "$@"', 'dbox'], cmd: ['node', 'app.js'] },
};

test('a release’s container is exactly what the golden profile says', () => {
  const golden = JSON.parse(
    readFileSync(join(import.meta.dirname, 'testing/golden-release-container.json'), 'utf8'),
  );
  assert.deepEqual(JSON.parse(JSON.stringify(releaseSpec(RELEASE))), golden);
});

test('no container is given a right, a port of the host or anything of its files', () => {
  const carrier = carrierSpec({ image: RELEASE.image, labels: {}, mounts: [] });
  for (const { HostConfig } of [releaseSpec(RELEASE), carrier]) {
    assert.deepEqual(HostConfig.CapDrop, ['ALL']);
    assert.equal('CapAdd' in HostConfig, false);
    assert.equal(HostConfig.Privileged, false);
    assert.equal(HostConfig.ReadonlyRootfs, true);
    assert.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges:true']);
    assert.ok(HostConfig.Mounts.every(({ Type }) => Type === 'volume'));
    for (const key of ['Binds', 'PortBindings', 'Devices', 'PidMode']) assert.equal(key in HostConfig, false);
  }
});
