import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseEnv } from 'node:util';
import { runMain } from '../testing/run-main.ts';

const VERSIONS = `
"version --format"*) echo 26.1.5 ;;
"compose version"*) echo 2.26.1 ;;
"buildx version"*) echo buildx ;;
`;

/** A command named docker whose answers are the cases of a shell script; it keeps what it was asked. */
async function setUp(t: TestContext, cases: string) {
  const dir = await mkdtemp(join(tmpdir(), 'fake-docker-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, 'bin'));
  const script = `#!/bin/sh\nprintf '%s\\n' "$*" >>${dir}/asked\ncase "$*" in\n${cases}\n*) exit 0 ;;\nesac\n`;
  await writeFile(join(dir, 'bin', 'docker'), script);
  await chmod(join(dir, 'bin', 'docker'), 0o755);
  // A file stands for the engine's socket where only its group is asked after.
  const socket = createServer().listen(join(dir, 'engine.sock'));
  await new Promise((resolve) => socket.once('listening', resolve));
  t.after(() => socket.close());
  const workspace = join(dir, 'workspace');
  return {
    dir,
    workspace,
    asked: () => readFile(join(dir, 'asked'), 'utf8'),
    dbox: (args: readonly string[], env: Record<string, string> = {}) =>
      runMain(args, {
        env: {
          PATH: `${join(dir, 'bin')}:${process.env.PATH}`,
          HOME: dir,
          DBOX_WORKSPACE: workspace,
          DBOX_BOX_NAME: 'dbox-fake',
          DBOX_ENGINE_SOCKET: join(dir, 'engine.sock'),
          DBOX_PORT: '7850',
          DBOX_GATEWAY_PORT: '8450',
          ...env,
        },
      }),
  };
}

test('an engine that is missing, old, silent or closed is said with what to install or do', async (t) => {
  const none = await setUp(t, '');
  const absent = await none.dbox(['up', '--docker'], { PATH: '/nowhere' });
  assert.equal(absent.exitCode, 1);
  assert.match(absent.stderr, /`docker` is not installed[\s\S]*Install Docker Engine 25 or newer/);
  const said = async (cases: string) => (await (await setUp(t, cases)).dbox(['up', '--docker'])).stderr;
  assert.match(
    await said('"version --format"*) echo 20.10.24 ;;'),
    /20\.10\.24 is too old[\s\S]*deploy\/engine/,
  );
  assert.match(
    await said('"version --format"*) echo 26.1 ;;\n"compose version"*) exit 1 ;;'),
    /Compose v2 is not/,
  );
  assert.match(
    await said('"version --format"*) echo 26.1 ;;\n"compose version"*) echo v2.17.3 ;;'),
    /Compose v2\.17\.3 is too old/,
  );
  const closed = '"version --format"*) echo "permission denied while trying to connect" >&2; exit 1 ;;';
  assert.match(await said(closed), /may not be used by this user[\s\S]*usermod/);
  const silent = '"version --format"*) echo "Cannot connect to the Docker daemon" >&2; exit 1 ;;';
  assert.match(await said(silent), /is not running[\s\S]*systemctl start docker/);
});

test('doctor fails on the engine only where the box runs in containers', async (t) => {
  const { dbox, workspace } = await setUp(t, '"version --format"*) echo 20.10.24 ;;');
  const free = await dbox(['doctor'], { DBOX_MODE: '' });
  assert.match(free.stdout, /ok {4}containers .*20\.10\.24 is too old; only/);
  await mkdir(workspace, { recursive: true });
  await writeFile(join(workspace, 'compose.env'), 'DBOX_BOX_NAME=dbox-fake\n');
  const bound = await dbox(['doctor']);
  assert.equal(bound.exitCode, 1);
  assert.match(bound.stdout, /fail {2}containers/);
});

test('secrets and values are made once, for their owner alone, and a later start keeps them', async (t) => {
  const cases = `${VERSIONS}\n"image inspect"*) exit 1 ;;\n*" up "*) echo nothing >&2; exit 1 ;;`;
  const { dbox, workspace, asked } = await setUp(t, cases);
  await dbox(['up', '--docker', '--scale', 'coding-agent=3'], { DBOX_CHECK_INTERVAL_MS: '500' });
  const secrets = join(workspace, 'secrets');
  const names = await readdir(secrets);
  for (const name of ['agent-coding.token', 'gateway.token', 'admin.token', 'database.password', 'npmrc']) {
    assert.ok(names.includes(name), `${name} is among ${names.join(' ')}`);
    assert.equal((await stat(join(secrets, name))).mode & 0o777, 0o600);
  }
  const token = await readFile(join(secrets, 'agent-coding.token'), 'utf8');
  assert.match(token, /^dbox_agent-coding_[0-9a-z]{32}_[0-9a-z]{6}\n$/);
  const values = parseEnv(await readFile(join(workspace, 'compose.env'), 'utf8'));
  assert.equal(values.DBOX_CODING_AGENTS, '3');
  assert.equal(values.DBOX_CHECK_INTERVAL_MS, '500');
  assert.equal(values.DBOX_GATEWAY_PORT_LAST, '8469');
  assert.notEqual(values.DBOX_UID, '0');
  assert.match(await asked(), /compose .*--env-file .*compose\.env build --quiet\n/);

  await dbox(['up']);
  assert.equal(await readFile(join(secrets, 'agent-coding.token'), 'utf8'), token);
  const again = parseEnv(await readFile(join(workspace, 'compose.env'), 'utf8'));
  assert.equal(again.DBOX_CODING_AGENTS, '3', 'a start without --scale keeps what there was');
});

test('images that were made from this very source are not built again', async (t) => {
  const cases = `${VERSIONS}\n*" up "*) exit 1 ;;`;
  const first = await setUp(t, `${cases}\n"image inspect"*) exit 1 ;;`);
  await first.dbox(['up', '--docker']);
  const { DBOX_SOURCE: source } = parseEnv(await readFile(join(first.workspace, 'compose.env'), 'utf8'));
  const labels = Array.from({ length: 6 }, () => source).join('\\n');
  const second = await setUp(t, `${cases}\n"image inspect"*) printf '${labels}\\n' ;;`);
  await second.dbox(['up', '--docker']);
  assert.doesNotMatch(await second.asked(), / build /);
});

test('a service that does not get healthy is named with its last lines', async (t) => {
  const cases = `${VERSIONS}
*" up "*) printf ' Container dbox-fake-manager-1  Error\\ncontainer dbox-fake-manager-1 is unhealthy\\n' >&2; exit 1 ;;
"ps --all"*) printf 'gateway\\tUp 9 seconds (healthy)\\nmanager\\tRestarting (1) 2 seconds ago\\n' ;;
*" logs "*manager) echo 'the store refuses the password' ;;`;
  const { dbox } = await setUp(t, cases);
  const failed = await dbox(['up', '--docker']);
  assert.equal(failed.exitCode, 1);
  assert.match(failed.stderr, /Not all of the box is healthy\./);
  assert.match(failed.stderr, /manager \(Restarting \(1\) 2 seconds ago\):\nthe store refuses the password/);
  assert.doesNotMatch(failed.stderr, /gateway/);
});

test('a build that fails shows its end', async (t) => {
  const cases = `${VERSIONS}\n"image inspect"*) exit 1 ;;\n*" build "*) echo 'npm error 404' >&2; exit 1 ;;`;
  const { dbox } = await setUp(t, cases);
  assert.match((await dbox(['up', '--docker'])).stderr, /could not be built\.\nnpm error 404/);
});

test('a workspace is one kind of box, and the other kind is refused', async (t) => {
  const { dbox, workspace } = await setUp(t, VERSIONS);
  await mkdir(workspace, { recursive: true });
  await writeFile(join(workspace, 'task.db'), '');
  const process = await dbox(['up', '--docker']);
  assert.match(process.stderr, /holds a box of one process/);
  await writeFile(join(workspace, 'compose.env'), 'DBOX_BOX_NAME=dbox-fake\n');
  const stack = await dbox(['up'], { DBOX_MODE: 'process' });
  assert.equal(stack.exitCode, 2);
  assert.match(stack.stderr, /holds a box of containers/);
  assert.match((await dbox(['up'], { DBOX_BOX_NAME: 'other' })).stderr, /belongs to the box dbox-fake/);
});

test('beyond this machine it needs TLS or a person’s word, and a name to be called by', async (t) => {
  const { dbox } = await setUp(t, VERSIONS);
  const bare = await dbox(['up', '--docker'], { DBOX_BIND: '0.0.0.0' });
  assert.equal(bare.exitCode, 2);
  assert.match(bare.stderr, /no TLS[\s\S]*--insecure/);
  const nameless = await dbox(['up', '--docker', '--insecure'], { DBOX_BIND: '0.0.0.0' });
  assert.match(nameless.stderr, /DBOX_PUBLIC_HOST/);
  const half = await dbox(['up', '--docker'], { DBOX_TLS_CERT: '/c.pem' });
  assert.match(half.stderr, /both DBOX_TLS_CERT and DBOX_TLS_KEY/);
});

test('a bare `docker compose` neither takes TLS away nor opens the box', async (t) => {
  const { dbox, dir, workspace } = await setUp(
    t,
    `${VERSIONS}\n"image inspect"*) exit 1 ;;\n*" up "*) exit 1 ;;`,
  );
  const [cert, key] = [join(dir, 'c.pem'), join(dir, 'k.pem')];
  for (const file of [cert, key]) await writeFile(file, 'pem');
  const open = { DBOX_BIND: '0.0.0.0', DBOX_PUBLIC_HOST: 'box.example.org' };
  await dbox(['up', '--docker'], { ...open, DBOX_TLS_CERT: cert, DBOX_TLS_KEY: key });
  const values = parseEnv(await readFile(join(workspace, 'compose.env'), 'utf8'));
  assert.equal(values.COMPOSE_FILE, 'docker-compose.yml:deploy/tls/compose.yaml');
  assert.equal(values.DBOX_PUBLISH_ON, '0.0.0.0');
  const file = await readFile(join(import.meta.dirname, '../../../docker-compose.yml'), 'utf8');
  assert.doesNotMatch(file, /\$\{DBOX_BIND/, 'what is only exported was not looked at');
});

test('the manager goes by the address that it is published on, which is where this program calls it', async () => {
  const file = await readFile(join(import.meta.dirname, '../../../docker-compose.yml'), 'utf8');
  // Where a name of the box is another, or TLS is asked of others, it would refuse this program else.
  assert.match(file, /DBOX_HOST_NAMES: manager,\$\{DBOX_PUBLISH_ON:-127\.0\.0\.1\}$/m);
});

test('volumes go only with the name of the box, and the workspace is moved aside', async (t) => {
  const cases = `${VERSIONS}\n*"volume ls"*) echo vol1 ;;`;
  const { dbox, dir, workspace, asked } = await setUp(t, cases);
  await mkdir(workspace, { recursive: true });
  await writeFile(join(workspace, 'compose.env'), 'DBOX_BOX_NAME=dbox-fake\n');
  for (const confirm of [[], ['--confirm=dbox']]) {
    const refused = await dbox(['down', '--volumes', ...confirm]);
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /--confirm=dbox-fake/);
  }
  assert.doesNotMatch(await asked(), /volume rm/);
  const removed = await dbox(['down', '--volumes', '--confirm=dbox-fake']);
  assert.equal(removed.exitCode, 0, removed.stderr);
  assert.match(await asked(), /volume rm --force vol1/);
  assert.ok((await readdir(dir)).some((name) => name.startsWith('workspace.removed-')));
});
