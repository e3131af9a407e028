import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Release, SettingList } from '@dbox/contracts';
import type { Box, Ran } from '../box.ts';
import { get, until } from '../box.ts';
import { findDoubles, readEvents } from '../ledger-checks.ts';
import { service } from '../recorded-task.ts';
import type { Scenario } from '../scenario.ts';
import { BOTH, deliver, devOf, showTask } from '../scenario.ts';
import { SHORT_LEASES } from './kills.ts';

const HOME = '  - url: http://devsite:8080\n  - should_respond: 200\n';
/** Prints all it is given, answers with its setting, and cannot start with a bad one. */
const TALKATIVE = `
const { GREETING } = process.env;
console.log('given ' + JSON.stringify(process.env));
console.log('asked at /?greeting=' + encodeURIComponent(GREETING ?? ''));
if (GREETING?.startsWith('bad')) throw new Error('cannot start with ' + GREETING);
globalThis.answer = (_, response) => { response.end('greeting: ' + (GREETING ?? 'none')); return true; };`;
const [ONE, TWO, BAD] = ['canary/one "4711"', 'canary/two & 4712', 'bad canary 4713'];

const list = (box: Box, project: string) => box.json<SettingList>(['env', 'list', project]);
const set = (box: Box, project: string, key: string, input: string): Promise<Ran> =>
  box.dbox(['env', 'set', project, key], { input: `${input}\n` });

async function setOk(box: Box, project: string, key: string, input: string): Promise<void> {
  const ran = await set(box, project, key, input);
  assert.equal(ran.code, 0, ran.stderr);
}

export const settings: Scenario = {
  name: 'a setting reaches the app and nobody else; a bad one is refused; a rollback brings the former one back',
  modes: BOTH,
  async run(box) {
    await box.ok(['up']);
    const { url } = await deliver(box, 'greeter', [
      { id: 'greeter', attempts: [service('one', TALKATIVE)], acceptance: HOME },
    ]);
    const answer = async () => (await get(url!)).text;
    const first = (await devOf(box, 'greeter')).release!;
    assert.equal(await answer(), 'greeting: none');

    await setOk(box, 'greeter', 'GREETING', ONE);
    assert.equal(await answer(), `greeting: ${ONE}`, 'the command ends once it is live');
    assert.equal((await devOf(box, 'greeter')).release!.commit, first.commit);
    await setOk(box, 'greeter', 'GREETING', TWO);
    assert.equal(await answer(), `greeting: ${TWO}`);

    const refused = await set(box, 'greeter', 'GREETING', BAD);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /not live: .*cannot start|not live: .*ended/);
    assert.equal(await answer(), `greeting: ${TWO}`, 'the old release serves on');
    assert.equal((await list(box, 'greeter')).refused?.version, 3);

    await box.ok(['rollback', '--project', 'greeter']);
    await until('the former setting is back', async () => (await answer()) === `greeting: ${ONE}`);
    await until('and the environment is at it again', async () => {
      const { version, live, refused: left } = await list(box, 'greeter');
      return version === 1 && live === 1 && left === null;
    });
    assert.equal((await showTask(box, 'greeter')).status, 'deployed', 'a setting is nothing of its task');

    const both = await Promise.all([
      set(box, 'greeter', 'OTHER', 'at once'),
      set(box, 'greeter', 'ANOTHER', 'at once too'),
    ]);
    assert.deepEqual(
      both.map((ran) => ran.code),
      [0, 0],
      both.map((ran) => ran.stderr).join('\n'),
    );
    const { settings: kept, version, live } = await list(box, 'greeter');
    assert.deepEqual([kept.map((one) => one.key), version], [['ANOTHER', 'GREETING', 'OTHER'], live]);
    assert.equal(await answer(), `greeting: ${ONE}`, 'changes go on from what was rolled back to');

    const { releases } = await box.json<{ releases: Release[] }>(['releases', '--project', 'greeter']);
    const logs = await Promise.all(releases.map(({ id }) => box.ok(['logs', id])));
    assert.match(logs.map((ran) => ran.stdout).join(), /\[GREETING\]/);
    await assertNowhere(box, ['canary']);
  },
};

export const killedSettings: Scenario = {
  name: 'a box killed while settings are set resumes: the site gets them, once',
  env: SHORT_LEASES,
  async run(box) {
    await box.ok(['up']);
    const { url } = await deliver(box, 'greeter', [
      { id: 'greeter', attempts: [service('one', TALKATIVE)], acceptance: HOME },
    ]);
    const failpoints = [
      'before:settings.changed',
      'after:settings.changed',
      'after:release.baking',
      'before:release.live',
    ];
    for (const [n, failpoint] of failpoints.entries()) {
      const value = `canary ${n} ${failpoint}`;
      await box.kill();
      await box.dbox(['up'], { env: { DBOX_FAILPOINT: failpoint } });
      const setting = box.dbox(['env', 'set', 'greeter', 'GREETING', '--no-follow'], { input: value });
      await until(`the box dies at ${failpoint}`, async () => (await box.pid()) === null);
      const { code } = await setting;
      await box.ok(['up']);
      // Not acknowledged: it may be there or not, and set again it is there once.
      if (code !== 0) await setOk(box, 'greeter', 'GREETING', value);
      await until(
        `the site has what was set at ${failpoint}`,
        async () => (await get(url!).catch(() => null))?.text === `greeting: ${value}`,
      );
      await until('nothing is pending', async () => !(await list(box, 'greeter')).pending);
      assert.equal((await list(box, 'greeter')).version, n + 1, `${failpoint}: one version a change`);
    }
    const { releases } = await box.json<{ releases: Release[] }>(['releases', '--project', 'greeter']);
    assert.equal(releases.filter((release) => release.status === 'live').length, 1);
    assert.deepEqual(findDoubles(await readEvents(box)), []);
    assert.equal((await box.dbox(['events', 'verify'])).code, 0);
    await assertNowhere(box, ['canary']);
  },
};

/** Neither the ledger nor any file of the share, nor any command line of this host, holds one of these. */
async function assertNowhere(box: Box, texts: readonly string[]): Promise<void> {
  const look = (where: string, found: string) => {
    for (const text of texts) assert.ok(!found.includes(text), `${where} holds ${text}`);
  };
  look('the ledger', JSON.stringify(await readEvents(box)));
  look('the status', JSON.stringify(await box.json(['status'])));
  for (const entry of await readdir(box.workspace, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    // In containers the share holds files that only the services may read.
    if (entry.isFile()) look(file, await readFile(file, 'latin1').catch(() => ''));
  }
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    look(
      `the command line of process ${pid}`,
      line.includes(box.workspace) || line.includes('server.mjs') ? line : '',
    );
  }
}
