import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Inspected } from './stack.ts';
import { profileOf, serviceOf } from './stack-profile.ts';

const BOX = 'dbox-e2e-1-abc';

function inspected(o: { host?: object; config?: object; mounts?: Inspected['Mounts'] } = {}): Inspected {
  return {
    Id: 'c1',
    Name: `/${BOX}-gateway-1`,
    Image: 'sha256:0',
    State: { Pid: 1, Status: 'running', Running: true, ExitCode: 0 },
    RestartCount: 0,
    Config: {
      Labels: { 'com.docker.compose.service': 'gateway', 'dbox.box': BOX },
      Env: ['SECRET=value', 'A=b'],
      User: '1000:1000',
      Image: `${BOX}-gateway`,
      ...o.config,
    },
    HostConfig: {
      CapAdd: null,
      CapDrop: ['ALL'],
      SecurityOpt: null,
      Privileged: false,
      ReadonlyRootfs: true,
      Init: true,
      PidsLimit: 256,
      Memory: 512 * 1024 * 1024,
      NanoCpus: 0,
      RestartPolicy: { Name: 'unless-stopped' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '5m', 'max-file': '3' } },
      NetworkMode: `${BOX}_control`,
      PidMode: '',
      IpcMode: 'private',
      UTSMode: '',
      UsernsMode: '',
      Devices: null,
      PortBindings: null,
      Tmpfs: null,
      ...o.host,
    },
    Mounts: o.mounts ?? [],
    NetworkSettings: { Networks: { [`${BOX}_control`]: { IPAddress: '10.0.0.2', Gateway: '' } } },
  };
}

test('a profile names what a container may do, and neither its box nor a value of its environment', () => {
  const profile = profileOf(inspected(), BOX);
  assert.equal(profile.image, 'BOX-gateway');
  assert.deepEqual([profile.networks, profile.environment], [['control'], ['A', 'SECRET']]);
  assert.doesNotMatch(JSON.stringify(profile), /dbox-e2e|value/);
  assert.equal(serviceOf(inspected()), 'gateway');
});

test('the ports that differ from box to box are counted, their addresses kept', () => {
  const PortBindings = {
    '20001/tcp': [{ HostIp: '127.0.0.1' }],
    '20002/tcp': [{ HostIp: '0.0.0.0' }],
    '1/tcp': null,
  };
  const { published } = profileOf(inspected({ host: { PortBindings } }), BOX);
  assert.deepEqual(published, { addresses: ['0.0.0.0', '127.0.0.1'], ports: 2 });
});

test('a seccomp profile is told from another by the calls in it', () => {
  const option = (name: string) => `seccomp=${JSON.stringify({ syscalls: [{ names: [name] }] })}`;
  const of = (...SecurityOpt: string[]) =>
    profileOf(inspected({ host: { SecurityOpt } }), BOX).securityOptions;
  assert.notDeepEqual(of(option('mount')), of(option('read')));
  assert.match(of(option('mount'))[0]!, /^seccomp=[0-9a-f]{12}$/);
  assert.deepEqual(of('seccomp=unconfined', 'no-new-privileges:true'), [
    'no-new-privileges',
    'seccomp=unconfined',
  ]);
});

test('what takes a limit or a wall away shows', () => {
  const open = {
    NetworkMode: 'host',
    PidMode: 'container:abc',
    PidsLimit: -1,
    Memory: 0,
    LogConfig: { Type: 'local', Config: {} },
  };
  const profile = profileOf(inspected({ host: open, config: { User: '0:0' } }), BOX);
  assert.deepEqual(profile.hostNamespaces, ['network', 'pid']);
  assert.deepEqual(
    [profile.pidsLimit, profile.memoryMb, profile.logLimit, profile.user],
    [null, null, null, 'root'],
  );
});

test('mounts are named by what they are, wherever the box lies', () => {
  const mounts = [
    { Type: 'bind', Source: '/tmp/dbox-e2e-x/workspace', Destination: '/workspace', RW: true },
    {
      Type: 'volume',
      Name: `${BOX}_store-data`,
      Source: '/var/lib/docker/volumes/x',
      Destination: '/data',
      RW: false,
    },
  ];
  assert.deepEqual(profileOf(inspected({ mounts }), BOX).mounts, [
    'bind workspace:/workspace (writable)',
    'volume store-data:/data',
  ]);
});
