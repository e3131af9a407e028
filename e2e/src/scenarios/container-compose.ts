import assert from 'node:assert/strict';
import { get, until } from '../box.ts';
import type { Files } from '../recorded-task.ts';
import type { Scenario } from '../scenario.ts';
import { DOCKER, deliver, devOf, stackOf } from '../scenario.ts';
import { COUNTS_ROWS, containerSite } from './container-projects.ts';

const HOME = '  - url: http://devsite:8080\n  - should_respond: 200\n';
const PASSWORD = 'canary-of-the-database';
const COMPOSE = `services:
  web:
    build: .
    ports: ["8080:3000"]
    depends_on:
      db: {condition: service_healthy}
  db:
    image: postgres:17
    environment:
      POSTGRES_USER: app
      POSTGRES_PASSWORD: \${DB_PASSWORD:?the database needs a password}
      POSTGRES_HOST_AUTH_METHOD: password
    volumes: [rows:/var/lib/postgresql/data]
    healthcheck: {test: ["CMD", "pg_isready", "-h", "127.0.0.1", "-U", "app"], interval: 2s}
volumes:
  rows:
`;

function countsRows(version: string): Files {
  const site = containerSite(version, `const VERSION = '${version}';\n${COUNTS_ROWS}`);
  return { ...site, 'compose.yaml': COMPOSE };
}

export const composeProject: Scenario = {
  name: 'a project with a Postgres of its own keeps its rows through two releases and a rollback',
  modes: DOCKER,
  async run(box) {
    await box.ok(['up']);
    await box.ok(['project', 'add', 'rows']);
    const set = await box.dbox(['env', 'set', 'rows', 'DB_PASSWORD', '--no-follow'], {
      input: `${PASSWORD}\n`,
    });
    assert.equal(set.code, 0, set.stderr);

    const first = await deliver(box, 'rows', [
      { id: 'rows-one', attempts: [countsRows('one')], acceptance: HOME },
    ]);
    const text = async (path = '') => (await get(`${first.url!}${path}`)).text;
    await text('/add');
    assert.equal(await text('/add'), 'version one, rows 2');
    const one = (await devOf(box, 'rows')).release!;
    const [database] = await databases();

    await deliver(box, 'rows', [{ id: 'rows-two', attempts: [countsRows('two')], acceptance: HOME }]);
    assert.equal(await text(), 'version two, rows 2', 'the second release found the rows of the first');
    assert.equal(await text('/add'), 'version two, rows 3');

    await box.ok(['rollback', '--project', 'rows']);
    await until('the first version serves again', async () => (await text()) === 'version one, rows 3');
    await until('and is live', async () => (await devOf(box, 'rows')).release!.id === one.id);
    assert.equal(await text('/add'), 'version one, rows 4');

    const after = await databases();
    assert.deepEqual(
      after.map(({ Id, RestartCount }) => [Id, RestartCount]),
      [[database!.Id, 0]],
      'the database is the one that it was',
    );
    const networks = Object.keys(database!.NetworkSettings.Networks);
    assert.ok(!networks.includes(stackOf(box).networkName('dev')), 'only its project reaches it');
    const told = JSON.stringify(await stackOf(box).containers());
    assert.ok(!told.includes(PASSWORD), 'what the engine tells of its containers holds no setting');

    async function databases() {
      const containers = await stackOf(box).containers();
      return containers.filter(
        ({ Config, State }) =>
          Config.Labels['dbox.project'] === 'rows' &&
          Config.Image.length > 0 &&
          isPostgres(Config.Env) &&
          State.Running,
      );
    }
  },
};

function isPostgres(env: readonly string[] | null): boolean {
  return (env ?? []).some((entry) => entry.startsWith('PGDATA='));
}
