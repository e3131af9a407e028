import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Scenario } from '../../scenario.ts';
import { DOCKER } from '../../scenario.ts';

const ROOT = resolve(import.meta.dirname, '../../../..');

export const bareCompose: Scenario = {
  name: 'a bare `docker compose up` without secrets says in one line what to run, and starts nothing',
  modes: DOCKER,
  async run(box) {
    const directory = join(box.directory, 'bare');
    await mkdir(directory);
    for (const path of ['docker-compose.yml', 'deploy'])
      await cp(join(ROOT, path), join(directory, path), { recursive: true });
    const { PATH, HOME } = process.env;
    const bare = { cwd: directory, env: { PATH, HOME, DBOX_BOX_NAME: `${box.stack!.name}-bare` } };
    const ran = spawnSync('docker', ['compose', 'up', '--detach'], {
      ...bare,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.notEqual(ran.status, 0);
    assert.match(ran.stderr, /\.\/dbox up --docker/);
    assert.ok(ran.stderr.trim().split('\n').length <= 2, ran.stderr);
    const left = spawnSync('docker', ['compose', 'ls', '--all', '--quiet'], { encoding: 'utf8' });
    assert.doesNotMatch(left.stdout, new RegExp(`${box.stack!.name}-bare`));
  },
};

export const engineMissing: Scenario = {
  name: 'without an engine `up --docker` and `doctor` say what to install, and change nothing',
  modes: DOCKER,
  async run(box) {
    const env = {
      DOCKER_HOST: `unix://${box.directory}/nobody.sock`,
      DBOX_WORKSPACE: join(box.directory, 'none'),
    };
    const up = await box.dbox(['up', '--docker'], { env });
    assert.notEqual(up.code, 0);
    assert.match(up.stderr, /container engine/);
    assert.match(up.stderr, /install|start/i);
    assert.doesNotMatch(up.stderr, /\n\s+at /, 'a person is told, not shown a stack trace');
    const doctor = await box.dbox(['doctor'], { env });
    assert.notEqual(doctor.code, 0, doctor.stdout);
    assert.match(doctor.stdout + doctor.stderr, /container engine/);
  },
};
