import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StoreReader, StoreTransaction, Table } from '../store.ts';
import { DuplicateKeyError, VersionConflictError } from '../store.ts';
import {
  agentRecord,
  artifactRecord,
  checkRecord,
  environmentRecord,
  incidentRecord,
  jobRecord,
  projectRecord,
  releaseRecord,
  settingsRecord,
  storyRecord,
  taskRecord,
  tokenRecord,
} from './store-records.ts';
import type { StoreUnderTest } from './store-under-test.ts';

const AT = '2026-01-01T00:00:00.000Z';
const idempotencyRecord = { key: 'k1', bodyHash: 'b', answer: '{}', createdAt: AT, version: 1 };

/** `get`, `insert` and `save` of every noun, with one change each that a save must keep. */
function nounCases() {
  return [
    nounCase('stories', storyRecord(), 'st_0000000001', { status: 'planning' }),
    nounCase('tasks', taskRecord(), 'task-001', { status: 'assigned' }),
    nounCase('projects', projectRecord(), 'blog', { mainCommit: 'c'.repeat(40) }),
    nounCase('environments', environmentRecord(), { project: 'blog', name: 'dev' }, { port: 8090 }),
    nounCase(
      'settings',
      settingsRecord(),
      { project: 'blog', environment: 'dev', number: 1 },
      { createdAt: '2026-01-02T00:00:00.000Z' },
    ),
    nounCase('releases', releaseRecord(), 'rel_0000000001', { status: 'building' }),
    nounCase('checks', checkRecord(), { project: 'blog', id: 'chk_000000000001' }, { status: 'live' }),
    nounCase('jobs', jobRecord(), 'job_0000000001', { priority: 8 }),
    nounCase('agents', agentRecord(), 'agt_0000000001', { name: 'coding-2' }),
    nounCase('incidents', incidentRecord(), 'inc_0000000001', { status: 'acting' }),
    nounCase('artifacts', artifactRecord(), 'art_0000000001', { sizeBytes: 2 }),
    nounCase('tokens', tokenRecord(), 'tok_0000000001', { revokedAt: AT }),
    nounCase('idempotency', idempotencyRecord, 'k1', { answer: '{"id":1}' }),
  ];
}

type Noun = Exclude<keyof StoreTransaction, 'events' | 'topology'>;
type AnyTable = Table<{ version: number }, unknown>;
interface NounCase {
  readonly noun: Noun;
  readonly record: { version: number };
  readonly changed: { version: number };
  get(reader: StoreReader): Promise<unknown>;
  table(tx: StoreTransaction): AnyTable;
}

function nounCase<R extends { version: number }>(
  noun: Noun,
  record: R,
  key: unknown,
  change: Partial<R>,
): NounCase {
  const table = (from: StoreReader | StoreTransaction) => from[noun] as unknown as AnyTable;
  return { noun, record, changed: { ...record, ...change }, get: (reader) => table(reader).get(key), table };
}

export function describeNouns(under: StoreUnderTest): void {
  const write = (work: (tx: StoreTransaction) => Promise<unknown>) => under.store.transact(work);
  const read = <T>(work: (reader: StoreReader) => Promise<T>) => under.store.read(work);

  describe('every noun', () => {
    for (const noun of nounCases()) {
      test(`${noun.noun}: inserted, found, saved at its version, refused twice and refused late`, async () => {
        assert.equal(await read(noun.get), null);
        assert.deepEqual(await write((tx) => noun.table(tx).insert(noun.record)), noun.record);
        assert.deepEqual(await read(noun.get), noun.record);
        await assert.rejects(
          write((tx) => noun.table(tx).insert(noun.record)),
          DuplicateKeyError,
        );
        const saved = { ...noun.changed, version: 2 };
        assert.deepEqual(await write((tx) => noun.table(tx).save(noun.changed)), saved);
        assert.deepEqual(await read(noun.get), saved);
        await assert.rejects(
          write((tx) => noun.table(tx).save(noun.changed)),
          VersionConflictError,
        );
        assert.deepEqual(await read(noun.get), saved);
        await assert.rejects(write((tx) => noun.table(tx).insert({ ...noun.record, version: 2 })));
      });
    }
  });

  const ids = (records: readonly { id: string }[]) => records.map((record) => record.id);

  describe('lists', () => {
    test('stories: newest first, by project, up to the limit; those that move', async () => {
      const statuses = ['received', 'delivered', 'planning', 'running', 'failed'] as const;
      await write(async (tx) => {
        for (const [index, status] of statuses.entries()) {
          await tx.stories.insert(
            storyRecord({ id: `st_${index}`, status, project: index === 0 ? 'shop' : 'blog' }),
          );
        }
      });
      assert.deepEqual(ids(await read((r) => r.stories.list({ limit: 2 }))), ['st_4', 'st_3']);
      assert.deepEqual(ids(await read((r) => r.stories.list({ limit: 9, project: 'shop' }))), ['st_0']);
      assert.deepEqual(ids(await read((r) => r.stories.listMoving())), ['st_0', 'st_2', 'st_3']);
    });

    test('tasks: newest first by project and story; of a story and project, waiting and created in their order', async () => {
      await write(async (tx) => {
        await tx.tasks.insert(taskRecord({ id: 'a', integration: 'waiting', integrationOrder: 2 }));
        await tx.tasks.insert(
          taskRecord({ id: 'b', integration: 'waiting', integrationOrder: 1, project: 'shop' }),
        );
        await tx.tasks.insert(taskRecord({ id: 'c', storyId: 'st_2', status: 'assigned' }));
        await tx.tasks.insert(
          taskRecord({ id: 'd', storyId: 'st_2', integration: 'landed', integrationOrder: 3 }),
        );
      });
      const { tasks } = await read(async (reader) => ({
        tasks: {
          all: ids(await reader.tasks.list({ limit: 3 })),
          ofProject: ids(await reader.tasks.list({ limit: 9, project: 'blog' })),
          ofStory: ids(await reader.tasks.list({ limit: 9, storyId: 'st_2' })),
          ofBoth: ids(await reader.tasks.list({ limit: 9, storyId: 'st_0000000001', project: 'shop' })),
          listOfStory: ids(await reader.tasks.listOfStory('st_2')),
          listOfProject: ids(await reader.tasks.listOfProject('blog')),
          waiting: ids(await reader.tasks.listWaiting()),
          created: ids(await reader.tasks.listCreated()),
        },
      }));
      assert.deepEqual(tasks, {
        all: ['d', 'c', 'b'],
        ofProject: ['d', 'c', 'a'],
        ofStory: ['d', 'c'],
        ofBoth: ['b'],
        listOfStory: ['c', 'd'],
        listOfProject: ['a', 'c', 'd'],
        waiting: ['b', 'a'],
        created: ['a', 'b', 'd'],
      });
    });

    test('projects and environments: without the removed, in the order of creation', async () => {
      await write(async (tx) => {
        for (const name of ['zoo', 'gone', 'blog']) {
          await tx.projects.insert(projectRecord({ name, removedAt: name === 'gone' ? AT : null }));
          await tx.environments.insert(environmentRecord({ project: name }));
        }
        await tx.environments.insert(environmentRecord({ project: 'zoo', name: 'production' }));
      });
      assert.deepEqual(
        (await read((r) => r.projects.list())).map((project) => project.name),
        ['zoo', 'blog'],
      );
      assert.deepEqual(
        (await read((r) => r.environments.list())).map(({ project, name }) => `${project}/${name}`),
        ['zoo/dev', 'blog/dev', 'zoo/production'],
      );
    });

    test('releases: newest first, by project and environment; those that bake', async () => {
      await write(async (tx) => {
        await tx.releases.insert(releaseRecord({ id: 'r1', status: 'superseded' }));
        await tx.releases.insert(releaseRecord({ id: 'r2', status: 'live' }));
        await tx.releases.insert(releaseRecord({ id: 'r3', status: 'baking', environment: 'production' }));
        await tx.releases.insert(releaseRecord({ id: 'r4', status: 'baking', project: 'shop' }));
      });
      assert.deepEqual(ids(await read((r) => r.releases.list({ limit: 2 }))), ['r4', 'r3']);
      assert.deepEqual(ids(await read((r) => r.releases.list({ limit: 9, project: 'blog' }))), [
        'r3',
        'r2',
        'r1',
      ]);
      assert.deepEqual(
        ids(await read((r) => r.releases.listOfEnvironment({ project: 'blog', environment: 'dev' }))),
        ['r2', 'r1'],
      );
      assert.deepEqual(ids(await read((r) => r.releases.listBaking())), ['r3', 'r4']);
    });

    test('settings: of an environment by version, until removed', async () => {
      await write(async (tx) => {
        for (const number of [10, 2, 1]) await tx.settings.insert(settingsRecord({ number }));
        await tx.settings.insert(settingsRecord({ environment: 'production' }));
        await tx.settings.insert(settingsRecord({ project: 'shop' }));
      });
      const key = { project: 'blog', environment: 'dev' };
      const numbers = async () =>
        (await read((r) => r.settings.listOfEnvironment(key))).map((one) => one.number);
      assert.deepEqual(await numbers(), [1, 2, 10]);
      await write((tx) => tx.settings.remove({ ...key, number: 2 }));
      await write((tx) => tx.settings.remove({ ...key, number: 2 }));
      assert.deepEqual(await numbers(), [1, 10]);
      assert.notEqual(
        await read((r) => r.settings.get({ ...key, environment: 'production', number: 1 })),
        null,
      );
    });

    test('checks: of a project', async () => {
      await write(async (tx) => {
        await tx.checks.insert(checkRecord({ id: 'chk_00000000000b' }));
        await tx.checks.insert(checkRecord({ id: 'chk_00000000000a' }));
        await tx.checks.insert(checkRecord({ id: 'chk_00000000000b', project: 'shop' }));
      });
      assert.deepEqual(ids(await read((r) => r.checks.listOfProject('blog'))), [
        'chk_00000000000b',
        'chk_00000000000a',
      ]);
    });

    test('agents: by name, which only one may have', async () => {
      await write(async (tx) => {
        await tx.agents.insert(agentRecord({ id: 'agt_1', name: 'one' }));
        await tx.agents.insert(agentRecord({ id: 'agt_2', name: 'two' }));
      });
      assert.equal((await read((r) => r.agents.findByName('two')))?.id, 'agt_2');
      assert.equal(await read((r) => r.agents.findByName('three')), null);
      assert.deepEqual(ids(await read((r) => r.agents.list())), ['agt_1', 'agt_2']);
      await assert.rejects(
        write((tx) => tx.agents.insert(agentRecord({ id: 'agt_3', name: 'one' }))),
        DuplicateKeyError,
      );
    });

    test('incidents: newest first; open ones of an environment', async () => {
      const statuses = ['resolved', 'open', 'escalated', 'muted', 'watching'] as const;
      await write(async (tx) => {
        for (const [index, status] of statuses.entries()) {
          await tx.incidents.insert(incidentRecord({ id: `i${index}`, status }));
        }
        await tx.incidents.insert(incidentRecord({ id: 'other', environment: 'production' }));
        await tx.incidents.insert(incidentRecord({ id: 'shop', project: 'shop' }));
      });
      assert.deepEqual(ids(await read((r) => r.incidents.list({ limit: 2 }))), ['shop', 'other']);
      assert.deepEqual(ids(await read((r) => r.incidents.list({ limit: 2, project: 'blog' }))), [
        'other',
        'i4',
      ]);
      assert.deepEqual(
        ids(await read((r) => r.incidents.listOpenOfEnvironment({ project: 'blog', environment: 'dev' }))),
        ['i1', 'i2', 'i4'],
      );
    });

    test('artifacts: of a task, until removed', async () => {
      await write(async (tx) => {
        await tx.artifacts.insert(artifactRecord({ id: 'art_2' }));
        await tx.artifacts.insert(artifactRecord({ id: 'art_1' }));
        await tx.artifacts.insert(artifactRecord({ id: 'art_3', taskId: null }));
      });
      assert.deepEqual(ids(await read((r) => r.artifacts.listOfTask('task-001'))), ['art_2', 'art_1']);
      await write((tx) => tx.artifacts.remove('art_2'));
      await write((tx) => tx.artifacts.remove('art_2'));
      assert.deepEqual(ids(await read((r) => r.artifacts.listOfTask('task-001'))), ['art_1']);
    });

    test('tokens: by hash, also the revoked; listed without them', async () => {
      await write(async (tx) => {
        await tx.tokens.insert(tokenRecord({ id: 'tok_1', hash: 'one' }));
        await tx.tokens.insert(tokenRecord({ id: 'tok_2', hash: 'two', revokedAt: AT }));
      });
      assert.equal((await read((r) => r.tokens.findByHash('two')))?.revokedAt, AT);
      assert.equal(await read((r) => r.tokens.findByHash('three')), null);
      assert.deepEqual(ids(await read((r) => r.tokens.list())), ['tok_1']);
      await assert.rejects(
        write((tx) => tx.tokens.insert(tokenRecord({ id: 'tok_3', hash: 'one' }))),
        DuplicateKeyError,
      );
    });

    test('idempotency keys: those older than an instant are removed and counted', async () => {
      await write(async (tx) => {
        await tx.idempotency.insert({
          ...idempotencyRecord,
          key: 'old',
          createdAt: '2026-01-01T00:00:00.000Z',
        });
        await tx.idempotency.insert({
          ...idempotencyRecord,
          key: 'new',
          createdAt: '2026-01-02T00:00:00.000Z',
        });
      });
      assert.equal(await write((tx) => tx.idempotency.removeOlderThan('2026-01-02T00:00:00.000Z')), 1);
      assert.equal(await read((r) => r.idempotency.get('old')), null);
      assert.notEqual(await read((r) => r.idempotency.get('new')), null);
    });

    test('the topology revision starts at 0 and grows by one', async () => {
      assert.equal(await read((r) => r.topology.revision()), 0);
      assert.deepEqual(
        await write(async (tx) => [await tx.topology.bump(), await tx.topology.bump()]),
        [1, 2],
      );
      assert.equal(await read((r) => r.topology.revision()), 2);
    });
  });
}
