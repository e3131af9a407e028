import assert from 'node:assert/strict';
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LedgerReport, StatusReport, StoryReport } from '@dbox/contracts';
import { get, until } from '../box.ts';
import { findDoubles, readEvents } from '../ledger-checks.ts';
import { page } from '../recorded-task.ts';
import type { Scenario } from '../scenario.ts';
import { deliver, devOf } from '../scenario.ts';

function simple(id: string, marker: string) {
  return {
    id,
    attempts: [{ ...page(marker), 'run-tests.sh': '#!/bin/sh\necho 1..1\necho ok 1\n' }],
    tests: ['./run-tests.sh'],
  };
}

export const backupAndRestore: Scenario = {
  name: 'a backup restores to an equal box',
  async run(box) {
    await box.ok(['up']);
    await deliver(box, 'first', [simple('first', 'first')]);
    await deliver(box, 'second', [simple('second', 'second')]);
    await writeFile(join(box.workspace, 'data', 'first', 'dev', 'guests.txt'), 'Ada\n');

    // Others are at work while it is made.
    const third = deliver(box, 'third', [simple('third', 'third')]);
    const archive = join(box.directory, 'box.tar');
    const made = await box.json<{ ledger: { seq: number; hash: string } }>(['backup', archive]);
    assert.equal((await stat(archive)).mode & 0o777, 0o600);
    await third;
    const before = await readEvents(box);

    const again = await box.dbox(['backup', archive]);
    assert.equal(again.code, 2, 'a file that is there is not replaced');
    assert.match(again.stderr, /there already.*--force/s);
    await box.ok(['down']);

    const refused = await box.dbox(['restore', archive]);
    assert.equal(refused.code, 2, 'a box that is there is not replaced');
    assert.match(refused.stderr, /holds a box already.*--force/s);
    const cut = join(box.directory, 'cut.tar');
    await writeFile(cut, await readFile(archive));
    await truncate(cut, Math.floor((await stat(archive)).size / 2));
    const broken = await box.dbox(['restore', cut, '--force']);
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /refused: the archive breaks off/);

    const restored = await box.json<{ former: string[]; ledger: { seq: number } }>([
      'restore',
      archive,
      '--force',
    ]);
    assert.equal(restored.ledger.seq, made.ledger.seq);
    assert.ok((await readdir(restored.former[0]!)).includes('task.db'), 'the box before is put aside');
    await box.ok(['up']);

    const events = await readEvents(box);
    assert.deepEqual(events.slice(0, made.ledger.seq), before.slice(0, made.ledger.seq));
    assert.equal(events[made.ledger.seq - 1]!.hash, made.ledger.hash);
    assert.equal((await box.json<LedgerReport>(['events', 'verify'])).ok, true);
    for (const project of ['first', 'second']) {
      const { url } = await devOf(box, project);
      await until(`${project} serves again`, async () => (await get(url)).text.includes(project));
    }
    assert.equal(await readFile(join(box.workspace, 'data', 'first', 'dev', 'guests.txt'), 'utf8'), 'Ada\n');

    // What was under way at that moment is delivered, and so is what comes next.
    const [thirdStory] = (await box.json<StatusReport>(['status'])).stories.filter(
      (one) => one.project === 'third',
    );
    if (thirdStory) {
      const settled = await box.json<StoryReport>(['story', '--follow', thirdStory.id]);
      assert.equal(settled.story.status, 'delivered');
    }
    await deliver(box, 'first', [simple('first-next', 'first again')]);
    const { url } = await devOf(box, 'first');
    assert.match((await get(url)).text, /first again/);
    assert.deepEqual(findDoubles(await readEvents(box)), []);

    await box.ok(['down']);
    const offline = join(box.directory, 'offline.tar');
    await box.ok(['backup', offline]);
    await box.ok(['restore', offline, '--force']);
    await box.ok(['up']);
    assert.equal((await box.json<LedgerReport>(['events', 'verify'])).ok, true);
  },
};
