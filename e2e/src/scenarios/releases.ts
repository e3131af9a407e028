import assert from 'node:assert/strict';
import type { Release, StoryReport } from '@dbox/contracts';
import { get, until } from '../box.ts';
import { page, recordTasks, service } from '../recorded-task.ts';
import type { Scenario } from '../scenario.ts';
import { BOTH, deliver, devOf, showTask } from '../scenario.ts';

const HOME = '  - url: http://devsite:8080\n  - should_respond: 200\n';

export const smokeFailure: Scenario = {
  name: 'a release that fails its smoke test gets no traffic, the old one serves, and the task goes back',
  modes: BOTH,
  async run(box) {
    await box.ok(['up']);
    const first = await deliver(box, 'shop', [
      { id: 'shop-one', attempts: [service('one')], acceptance: HOME },
    ]);
    const live = (await devOf(box, 'shop')).release!.id;
    const crash = service('two', "throw new Error('cannot start');");
    const sick = service(
      'two',
      'globalThis.answer = (_, response) => { response.statusCode = 500; response.end(); return true; };',
    );
    const file = await recordTasks(box.directory, [
      {
        id: 'shop-two',
        attempts: [crash, sick],
        acceptance: HOME,
        more: 'constraints: {max_attempts: 2}',
      },
    ]);
    const answers = new Set<string>();
    let done = false;
    const visitor = (async () => {
      while (!done)
        answers.add(await get(first.url!).then((answer) => `${answer.status} ${answer.text}`, String));
    })();
    const second = await box.json<StoryReport>(['story', '-f', file, '--project', 'shop', '--follow'], 1);
    done = true;
    await visitor;
    assert.deepEqual([...answers], ['200 version one'], 'no visitor saw anything but the old release');
    assert.equal(second.story.status, 'failed');
    assert.equal((await devOf(box, 'shop')).release!.id, live);
    const { attempts } = await showTask(box, 'shop-two');
    assert.match(attempts[0]!.verdict!.summary, /cannot start|exit/);
    assert.equal(attempts[1]!.verdict!.checks[0]!.outcome, 'failed');
    assert.match(attempts[1]!.verdict!.checks[0]!.detail, /500/);
  },
};

export const rollback: Scenario = {
  name: 'a rollback gives the traffic back to the earlier release, and the next story builds on its code',
  modes: BOTH,
  async run(box) {
    await box.ok(['up']);
    const first = await deliver(box, 'site', [
      { id: 'site-one', attempts: [page('version one')], acceptance: HOME },
    ]);
    const one = (await devOf(box, 'site')).release!;
    await deliver(box, 'site', [
      { id: 'site-two', attempts: [{ ...page('version two'), 'two.txt': '2' }], acceptance: HOME },
    ]);
    assert.match((await get(first.url!)).text, /version two/);
    await box.ok(['rollback', '--project', 'site']);
    await until('the first version serves again', async () =>
      /version one/.test((await get(first.url!)).text),
    );
    await until('the rollback has settled', async () => (await devOf(box, 'site')).release!.id === one.id);
    assert.equal((await devOf(box, 'site')).release!.commit, one.commit);
    assert.equal((await showTask(box, 'site-two')).status, 'rolled_back');
    await deliver(box, 'site', [{ id: 'site-three', attempts: [{ 'three.txt': '3' }], acceptance: HOME }]);
    assert.match(
      (await get(first.url!)).text,
      /version one/,
      'main is what was live, not what was rolled back',
    );
    const { releases } = await box.json<{ releases: Release[] }>(['releases']);
    const live = releases.filter((release) => release.project === 'site' && release.status === 'live');
    assert.equal(live.length, 1);
    assert.equal((await box.dbox(['rollback', 'rel_0000000000', '--project', 'site'])).code, 1);
  },
};

export const selfHealing: Scenario = {
  name: 'a dead process is started again; a release that falls sick is rolled back by itself',
  modes: BOTH,
  async run(box) {
    await box.ok(['up']);
    const first = await deliver(box, 'heal', [
      {
        id: 'heal-one',
        attempts: [
          service(
            'one',
            "globalThis.answer = (request) => { if (request.url === '/die') process.exit(3); return false; };",
          ),
        ],
        acceptance: HOME,
      },
    ]);
    await get(`${first.url!}/die`).catch(() => null);
    await until(
      'the process was started again',
      async () => (await get(first.url!).catch(() => null))?.status === 200,
    );
    const good = (await devOf(box, 'heal')).release!.id;
    const sickLater = service(
      'two',
      "import { existsSync, writeFileSync } from 'node:fs';\nconst mark = process.env.DATA_DIR + '/sick';\nglobalThis.answer = (request, response) => { if (request.url === '/fall-sick') writeFileSync(mark, ''); if (!existsSync(mark)) return false; response.statusCode = 500; response.end(); return true; };",
    );
    await deliver(box, 'heal', [{ id: 'heal-two', attempts: [sickLater], acceptance: HOME }]);
    await get(`${first.url!}/fall-sick`);
    await until(
      'the good release serves again',
      async () => (await devOf(box, 'heal')).release?.id === good,
      90_000,
    );
    await until('and is healthy', async () => (await devOf(box, 'heal')).health === 'healthy');
    assert.match((await get(first.url!)).text, /version one/);
    type Seen = { project: string; status: string; actions: { action: string }[] };
    const { incidents } = await box.json<{ incidents: Seen[] }>(['incidents']);
    const own = incidents.filter((incident) => incident.project === 'heal');
    assert.deepEqual(new Set(own.map((incident) => incident.status)), new Set(['resolved']));
    assert.ok(own.some(({ actions }) => actions.some((one) => one.action === 'rollback')));
  },
};
