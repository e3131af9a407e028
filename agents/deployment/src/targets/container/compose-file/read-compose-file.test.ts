// biome-ignore-all lint/suspicious/noTemplateCurlyInString: compose files are written so.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ReadComposeFile } from './read-compose-file.ts';
import { readComposeFile } from './read-compose-file.ts';
import type { Settings } from './reading.ts';

const MOST = { memoryBytes: 1024 ** 3, cpus: 2, pids: 256 };

function read(text: string, more: { file?: string; settings?: Settings } = {}): ReadComposeFile {
  return readComposeFile({
    text,
    file: more.file ?? 'compose.yaml',
    settings: more.settings === undefined ? {} : more.settings,
    boxName: 'mybox',
    most: MOST,
  });
}

function serviceOf(text: string, settings: Settings = {}) {
  const { plan, findings } = read(text, { settings });
  assert.ok(plan, JSON.stringify(findings, null, 1));
  return plan.services.find((one) => one.name === plan.web)!;
}

/** `code` and place of each error. */
function errors(text: string, settings: Settings = {}): string[] {
  const { plan, findings } = read(text, { settings });
  const bad = findings.filter(({ severity }) => severity === 'error');
  assert.equal(plan === null, bad.length > 0);
  for (const { message, hint } of findings) assert.ok(message && hint, message);
  return bad.map(({ code, line, column }) => `${code} ${line}:${column}`);
}

const CORPUS = join(import.meta.dirname, 'testing/corpus');
/** Each service with its role and port in the order of their start, and the volumes. */
const EXPECTED: Readonly<Record<string, readonly [string, string]>> = {
  'django-redis-worker.yaml': ['redis=stateful db=stateful web=web:8000 worker=app migrate=app', 'redis db'],
  'elastic.yaml': ['search-ui=web:8080 elasticsearch=stateful', 'es'],
  'ghost.yaml': ['ghost=web:2368 db=stateful', ''],
  'go-and-env-port.yaml': ['app=web:9090 queue=stateful', ''],
  'json-style.yaml': ['web=web:5173 api=app', ''],
  'labelled.yaml': ['api=app ui=web:4002 files=stateful cache=app', 'files'],
  'limits.yaml': ['app=web:9000 greedy=app', ''],
  'migration-first.yaml': ['database=stateful migrate=job api=web:8080', 'mysql'],
  'nginx-in-front.yaml': ['app=app proxy=web:80 mongo=stateful', 'mongo-data'],
  'node-postgres.yaml': ['db=stateful web=web:3000', 'pgdata'],
  'one-service.yaml': ['site=web', ''],
  'profiles.yaml': ['app=web:8000', ''],
  'rabbit.yaml': ['consumer=app rabbit=stateful gateway=web:8000', 'rabbit'],
  'rails.yaml': ['web=web:3000 sidekiq=app postgres=stateful', 'postgres'],
  'wordpress.yaml': ['db=stateful wordpress=web:80', 'db-data uploads'],
};

test('compose files as projects have them are understood', () => {
  assert.deepEqual(readdirSync(CORPUS).sort(), Object.keys(EXPECTED).sort());
  for (const [name, [services, volumes]] of Object.entries(EXPECTED)) {
    const file = name === 'elastic.yaml' ? 'deploy/compose.yaml' : name;
    const settings = { DB_PASSWORD: 'hunter2', SECRET_KEY: 'key', RAILS_MASTER_KEY: 'master' };
    const { plan, findings } = read(readFileSync(join(CORPUS, name), 'utf8'), { file, settings });
    assert.ok(plan, `${name}: ${JSON.stringify(findings)}`);
    const found = plan.services.map(
      (one) => `${one.name}=${one.role}${one.port === null ? '' : `:${one.port}`}`,
    );
    assert.equal(found.join(' '), services, name);
    assert.equal(plan.volumes.join(' '), volumes, name);
    assert.ok(plan.services.some((one) => one.name === plan.web && one.role === 'web'));
    assert.ok(!JSON.stringify(findings).includes('hunter2'));
  }
});

test('a whole service is rebuilt, with anchors, merges, quoting and long forms written out', () => {
  const text = readFileSync(join(CORPUS, 'django-redis-worker.yaml'), 'utf8');
  const { plan } = read(text, { settings: { SECRET_KEY: 'key' } });
  assert.deepEqual(
    plan?.services.find(({ name }) => name === 'worker'),
    {
      name: 'worker',
      role: 'app',
      source: {
        kind: 'build',
        context: '.',
        dockerfile: 'Dockerfile',
        args: { PYTHON_VERSION: '3.13' },
        target: 'production',
      },
      command: ['celery', '-A', 'shop', 'worker'],
      entrypoint: null,
      environment: {
        CELERY_CONCURRENCY: '2',
        DJANGO_SETTINGS_MODULE: 'shop.settings',
        SECRET_KEY: 'key',
        REDIS_URL: 'redis://redis:6379/0',
      },
      secretNames: ['SECRET_KEY'],
      port: null,
      aliases: [],
      hostname: null,
      volumes: [],
      tmpfs: [],
      waitsFor: [
        { service: 'redis', until: 'started' },
        { service: 'db', until: 'started' },
      ],
      healthcheck: null,
      user: null,
      workingDir: null,
      stopGraceMs: 30_000,
      stopSignal: 'SIGINT',
      init: false,
      readOnly: false,
      shmBytes: null,
      limits: { memoryBytes: null, cpus: null, pids: null },
    },
  );
  const json = read(readFileSync(join(CORPUS, 'json-style.yaml'), 'utf8')).plan?.services[1];
  assert.deepEqual(json?.command, ['server.js', '--name', 'two words', '--plain', 'a b']);
  const { limits, tmpfs } = serviceOf(readFileSync(join(CORPUS, 'limits.yaml'), 'utf8'));
  assert.deepEqual(limits, { memoryBytes: 256 * 1024 ** 2, cpus: 0.5, pids: 100 });
  assert.deepEqual(tmpfs, [
    { path: '/tmp', sizeBytes: null },
    { path: '/run', sizeBytes: 16 * 1024 ** 2 },
  ]);
  const greedy = read(readFileSync(join(CORPUS, 'limits.yaml'), 'utf8')).plan?.services[1];
  assert.deepEqual(greedy?.limits, MOST);
});

/** One line below a web service, at line 4 and column 5. */
const REFUSED: Readonly<Record<string, string>> = {
  'privileged: true': 'refused_key 4:5',
  'privileged: "${X:-true}"': 'refused_key 4:5',
  'cap_add: [NET_ADMIN]': 'refused_key 4:5',
  'devices: ["/dev/sda:/dev/sda"]': 'refused_key 4:5',
  'gpus: all': 'refused_key 4:5',
  'network_mode: host': 'refused_key 4:5',
  'network_mode: "container:mybox-manager-1"': 'refused_key 4:5',
  'network_mode: "service:db"': 'refused_key 4:5',
  'pid: host': 'refused_key 4:5',
  'ipc: host': 'refused_key 4:5',
  'uts: host': 'refused_key 4:5',
  'userns_mode: host': 'refused_key 4:5',
  'cgroup: host': 'refused_key 4:5',
  'cgroup_parent: /': 'refused_key 4:5',
  'volumes_from: [other]': 'refused_key 4:5',
  'security_opt: ["seccomp=unconfined"]': 'refused_key 4:5',
  'security_opt: ["no-new-privileges:true", "apparmor=unconfined"]': 'refused_key 4:5',
  'sysctls: {net.core.somaxconn: 1024}': 'refused_key 4:5',
  'extra_hosts: ["host.docker.internal:host-gateway"]': 'refused_key 4:5',
  'env_file: .env': 'refused_key 4:5',
  'secrets: [db]': 'refused_key 4:5',
  'configs: [db]': 'refused_key 4:5',
  'extends: {service: other, file: /etc/passwd}': 'refused_key 4:5',
  'use_api_socket: true': 'refused_key 4:5',
  'runtime: runc-anything': 'refused_key 4:5',
  'post_start: [{command: x, privileged: true}]': 'refused_key 4:5',
  'deploy: {resources: {reservations: {devices: [{driver: nvidia}]}}}': 'refused_key 4:41',
  'volumes: ["/:/host"]': 'bind_mount 4:15',
  'volumes: ["//:/host"]': 'bind_mount 4:15',
  'volumes: ["/./../:/host"]': 'bind_mount 4:15',
  'volumes: ["/var/run/docker.sock:/var/run/docker.sock"]': 'engine_socket 4:15',
  'volumes: [".:/app"]': 'bind_mount 4:15',
  'volumes: ["./data:/data"]': 'bind_mount 4:15',
  'volumes: ["../:/data"]': 'bind_mount 4:15',
  'volumes: ["~/.ssh:/root/.ssh"]': 'bind_mount 4:15',
  'volumes: ["C:\\\\x:/x"]': 'bind_mount 4:15',
  'volumes: ["a/../../etc:/x"]': 'bind_mount 4:15',
  'volumes: ["${X:-/}:/host"]': 'bind_mount 4:15',
  'volumes: [{type: bind, source: /run/docker.sock, target: /s}]': 'engine_socket 4:36',
  'volumes: [{source: /etc, target: /s}]': 'bind_mount 4:24',
  'volumes: [{type: npipe, source: x, target: /s}]': 'bad_value 4:22',
  'volumes: ["/app/node_modules"]': 'anonymous_volume 4:15',
  'volumes: ["data:/proc"]': 'bad_path 4:15',
  'volumes: ["data:/"]': 'bad_path 4:15',
  'volumes: ["data:/a/../../proc"]': 'bad_value 4:15',
  'volumes: ["data:relative"]': 'bad_value 4:15',
  'tmpfs: /dev/shm': 'bad_path 4:12',
  'networks: [host]': 'unknown_network 4:16',
  'networks: {default: {ipv4_address: 172.17.0.1}}': 'refused_key 4:26',
  'enviroment: {A: b}': 'unknown_key 4:5',
  'constructor: x': 'unknown_key 4:5',
  'environment: {DBOX_TOKEN: x}': 'reserved_name 4:19',
  'environment: ["A B=c"]': 'bad_key 4:19',
  'ports: ["99999"]': 'bad_value 4:13',
  'ports: {a: b}': 'wrong_type 4:12',
  'user: "root; rm"': 'bad_value 4:11',
  'stop_signal: "9 --x"': 'bad_value 4:18',
  'labels: {dbox.wbe: "true"}': 'unknown_key 4:14',
  'depends_on: [ghost]': 'unknown_service 4:18',
  'depends_on: [web]': 'circle 2:3',
  'depends_on: {web: {condition: healthy}}': 'bad_value 4:35',
  'command: "unclosed \\" quote"': 'bad_value 4:14',
  'command: "${PASSWORD}"': 'bad_interpolation 4:14',
  'healthcheck: {test: []}': 'bad_value 4:25',
  'healthcheck: {test: x, interval: 10}': 'bad_value 4:38',
  'mem_limit: lots': 'bad_value 4:16',
  'cpus: -1': 'bad_value 4:11',
};

test('whatever would open the host or another project, and whatever is not known, is refused where it stands', () => {
  for (const [line, expected] of Object.entries(REFUSED)) {
    assert.deepEqual(errors(`services:\n  web:\n    build: .\n    ${line}\n`), [expected], line);
  }
  const { findings } = read('services:\n  web:\n    build: .\n    enviroment: {}\n');
  assert.match(findings[0]!.hint, /`environment`/);
  assert.equal(findings[0]!.path, 'services.web.enviroment');
});

test('what sounds dangerous but asks for nothing is let through', () => {
  const lines = [
    'privileged: false',
    'cap_add: []',
    'cap_drop: [ALL]',
    'security_opt: ["no-new-privileges:true"]',
    'ipc: private',
    'env_file:',
    'x-anything: {privileged: true}',
    'networks: [default]',
  ];
  for (const line of lines)
    assert.deepEqual(errors(`services:\n  web:\n    build: .\n    ${line}\n`), [], line);
});

test('builds are made of the commit alone, with arguments that steer no builder', () => {
  const refused: Readonly<Record<string, string>> = {
    '/etc': 'bad_path',
    '..': 'bad_path',
    'a/../../b': 'bad_path',
    '~/x': 'bad_path',
    'https://example.org/x.git': 'remote_context',
    'git@example.org:x.git': 'remote_context',
    'github.com/a/b': 'remote_context',
    '{context: ., dockerfile: ../Dockerfile}': 'bad_path',
    '{context: ., dockerfile: /Dockerfile}': 'bad_path',
    '{context: ., network: host}': 'refused_key',
    '{context: ., ssh: [default]}': 'refused_key',
    '{context: ., secrets: [x]}': 'refused_key',
    '{context: ., privileged: true}': 'refused_key',
    '{context: ., entitlements: [security.insecure]}': 'refused_key',
    '{context: ., additional_contexts: {x: /}}': 'refused_key',
    '{context: ., args: {BUILDKIT_SYNTAX: evil/frontend}}': 'refused_key',
    '{context: ., args: [buildkit_syntax=x]}': 'refused_key',
    '{context: ., args: {TOKEN: }}': 'missing_value',
    '{context: ., args: {TOKEN: "${TOKEN:-x}"}}': 'setting_not_here',
    '{context: ., contex: x}': 'unknown_key',
  };
  for (const [build, code] of Object.entries(refused)) {
    const found = errors(
      `services: {web: {build: ${build.startsWith('{') ? build : JSON.stringify(build)}}}`,
      {
        TOKEN: 'secret',
      },
    );
    assert.equal(found[0]?.split(' ')[0], code, build);
  }
  const text = 'services: {web: {build: {context: ../app, dockerfile: ../Dockerfile}}}';
  assert.deepEqual(read(text, { file: 'deploy/compose.yaml' }).plan?.services[0]?.source, {
    kind: 'build',
    context: 'app',
    dockerfile: 'Dockerfile',
    args: {},
    target: null,
  });
});

test('images of the box, images by id and registries on this machine are refused', () => {
  const bad = [
    ...[
      'dbox/manager',
      'dbox-coding-agent:1',
      'dbox',
      'mybox',
      'mybox-rel-1',
      'docker.io/mybox/x',
      'library/dbox',
    ],
    ...[
      'sha256:aaaaaaaa',
      '0123456789ab',
      'localhost:5000/x',
      '127.0.0.1/x:1',
      '169.254.169.254/x',
      '[::1]:5000/x',
    ],
    ...['-v', 'a b', 'x\u0000'],
  ];
  for (const image of bad) {
    const text = `services: {web: {image: ${JSON.stringify(image)}, ports: ["80"]}}`;
    assert.match(errors(text)[0] ?? '', /bad_image|control_character|wrong_encoding/, image);
  }
  for (const image of [
    'nginx',
    'dboxer/app',
    'quay.io/dexidp/dex:v2',
    'registry.example.org:5000/team/app:1',
  ]) {
    assert.deepEqual(errors(`services: {web: {image: "${image}"}}`), [], image);
  }
});

test('the top level knows its keys, and external or driven volumes and networks are refused', () => {
  const web = 'services: {web: {build: .}}\n';
  const cases: Readonly<Record<string, string>> = {
    'include: [other.yaml]': 'refused_key 2:1',
    'secrets: {x: {file: /etc/shadow}}': 'refused_key 2:1',
    'configs: {x: {file: /etc/shadow}}': 'refused_key 2:1',
    'volums: {}': 'unknown_key 2:1',
    'volumes: {x: {external: true}}': 'refused_key 2:15',
    'volumes: {x: {driver: nfs}}': 'refused_key 2:15',
    'volumes: {x: {driver_opts: {type: none, o: bind, device: /}}}': 'refused_key 2:15',
    'networks: {x: {external: true}}': 'refused_key 2:16',
    'networks: {x: {driver: host}}': 'refused_key 2:16',
    'networks: {x: {driver: macvlan}}': 'refused_key 2:16',
    'networks: {x: {driver_opts: {a: b}}}': 'refused_key 2:16',
    'networks: {x: {ipam: {config: [{subnet: 10.0.0.0/8}]}}}': 'refused_key 2:16',
  };
  for (const [line, expected] of Object.entries(cases))
    assert.deepEqual(errors(web + line), [expected], line);
  assert.deepEqual(errors('volumes: {}'), ['missing_key 1:1']);
  assert.deepEqual(errors('services: {}'), ['missing_key 1:1']);
  assert.deepEqual(errors('services: [web]'), ['wrong_type 1:11']);
  assert.deepEqual(errors('services: {web: }'), ['wrong_type 1:17']);
  assert.deepEqual(errors('services: {"../x": {build: .}}'), ['bad_key 1:12']);
  assert.deepEqual(errors('services: {web: {ports: ["80"]}}'), ['missing_key 1:17']);
  assert.deepEqual(errors('services: {web: {build: ., profiles: [x]}}'), ['missing_key 1:1']);
  const many = Array.from({ length: 21 }, (_, n) => `  s${n}: {image: x}`).join('\n');
  assert.deepEqual(errors(`services:\n${many}`), ['too_large 22:3']);
});

test('one service gets the traffic, or it is said how to mark it', () => {
  assert.deepEqual(errors('services:\n  a: {build: ., ports: ["80"]}\n  b: {build: ., ports: ["81"]}'), [
    'several_web_services 3:3',
  ]);
  assert.deepEqual(errors('services:\n  a: {build: .}\n  b: {build: .}'), ['no_web_service 2:3']);
  assert.deepEqual(errors('services:\n  db: {image: postgres, ports: ["5432"]}'), ['no_web_service 2:3']);
  const marked = 'labels: {dbox.web: "true"}';
  assert.deepEqual(errors(`services:\n  a: {build: ., ${marked}}\n  b: {build: ., ${marked}}`), [
    'several_web_services 3:3',
  ]);
  const web = (text: string) => read(text).plan?.web;
  assert.equal(web(`services: {a: {build: ., ports: ["80"]}, b: {build: ., ${marked}}}`), 'b');
  assert.equal(web('services: {a: {build: ., expose: [80]}, b: {build: ., ports: ["81"]}}'), 'b');
  assert.equal(web('services: {a: {build: .}, b: {build: ., expose: [80]}}'), 'b');
  assert.equal(web(`services: {db: {image: postgres, ${marked}}}`), 'db');
});

test('what is built of the commit is of the release, whatever it mounts, unless it is told to stay', () => {
  const roles = (service: string) =>
    read(`services: {web: {build: ., ports: ["80"]}, x: ${service}}\nvolumes: {v: }`).plan?.services.find(
      ({ name }) => name === 'x',
    )?.role;
  assert.equal(roles('{build: ., volumes: ["v:/v"]}'), 'app');
  assert.equal(roles('{build: ., labels: {dbox.keep: "true"}}'), 'stateful');
  assert.equal(roles('{image: "some/thing", volumes: ["v:/v"]}'), 'stateful');
  assert.equal(roles('{image: "some/thing"}'), 'app');
  assert.equal(roles('{image: "bitnami/postgresql:16"}'), 'stateful');
  assert.equal(roles('{image: redis, labels: {dbox.keep: "false"}}'), 'app');
  const kept = 'services:\n  web: {build: ., labels: {dbox.web: "true", dbox.keep: "true"}}';
  assert.deepEqual(errors(kept), ['bad_value 2:3']);
  const waiting = 'services:\n  web: {build: .}\n  db: {image: postgres, depends_on: [web]}';
  assert.deepEqual(errors(waiting), ['kept_waits_for_release 3:38']);
});

test('settings go into the environment and nowhere else, and no message holds one', () => {
  const settings = { PASSWORD: 'hunter2', TAG: '17' };
  const web = serviceOf(
    'services: {web: {build: ., environment: {A: "x${PASSWORD}y", B: "${NONE:-d}", C: "$$5", PASSWORD: }}}',
    settings,
  );
  assert.deepEqual(web.environment, { A: 'xhunter2y', B: 'd', C: '$5', PASSWORD: 'hunter2', TAG: '17' });
  assert.deepEqual(web.secretNames, ['A', 'PASSWORD', 'TAG']);
  // An image of others gets only what the file gives it.
  assert.deepEqual(serviceOf('services: {web: {image: x, environment: [TAG]}}', settings).environment, {
    TAG: '17',
  });
  const bad: Readonly<Record<string, string>> = {
    'command: "run $PASSWORD"': 'setting_not_here',
    'image: "postgres:${TAG:-16}"': 'setting_not_here',
    'working_dir: "/${PASSWORD}"': 'setting_not_here',
    'environment: {A: "${MISSING}"}': 'bad_interpolation',
    'environment: [MISSING]': 'setting_missing',
    'environment: {A: "${PASSWORD"}': 'bad_interpolation',
    'environment: {A: "${PASSWORD!x}"}': 'bad_interpolation',
    'environment: {A: "5$"}': 'bad_interpolation',
  };
  for (const [line, code] of Object.entries(bad)) {
    const { findings } = read(`services: {web: {build: ., ${line}}}`, { settings });
    const found = findings.filter(({ severity }) => severity === 'error').map((one) => one.code);
    assert.deepEqual(line.startsWith('image') ? [] : found, line.startsWith('image') ? [] : [code], line);
    assert.ok(!JSON.stringify(findings).includes('hunter2'), line);
  }
  assert.deepEqual(errors('services: {web: {image: "x:${TAG:-16}"}}', settings), ['setting_not_here 1:25']);
});

test('a build knows no settings, and takes what is asked for to be set', () => {
  const text = 'services: {web: {build: ., environment: {A: "${PASSWORD}", B: }}}';
  assert.deepEqual(errors(text), ['bad_interpolation 1:45', 'setting_missing 1:60']);
  assert.ok(read(text, { settings: null }).plan);
});

test('services of profiles are left out, and who needs them is told', () => {
  const text = (more: string) =>
    `services:\n  web: {build: ., depends_on: {x: {condition: service_started${more}}}}\n  x: {image: y, privileged: true, profiles: [p]}`;
  assert.deepEqual(errors(text('')), ['unknown_service 2:35']);
  assert.deepEqual(read(text(', required: false')).plan?.services.length, 1);
});

test('a setting goes only into a variable that a shell can set', () => {
  const text = (key: string) => `services:\n  web: {build: ., environment: {"${key}": "\${TOKEN}"}}\n`;
  assert.deepEqual(errors(text('../A-B'), { TOKEN: 't' }), ['bad_key 2:33']);
  assert.deepEqual(errors(text('A_B'), { TOKEN: 't' }), []);
});
