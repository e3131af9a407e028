import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { LedgerReport } from '@dbox/contracts';
import { get, until } from '../../box.ts';
import { findDoubles, readEvents } from '../../ledger-checks.ts';
import { page } from '../../recorded-task.ts';
import type { Scenario } from '../../scenario.ts';
import { DOCKER, deliver, devOf, stackOf } from '../../scenario.ts';

interface Head {
  readonly seq: number;
  readonly hash: string;
}

export const stackBackup: Scenario = {
  name: 'a backup of a box of containers restores after all of that box was removed',
  modes: DOCKER,
  stack: 'backup',
  async run(box) {
    await box.ok(['up', '--docker']);
    await deliver(box, 'kept', [{ id: 'kept', attempts: [page('kept')], acceptance: '  - url: /\n' }]);
    const archive = join(box.directory, 'box.tar');
    const made = await box.json<{ ledger: Head }>(['backup', archive]);
    const before = await readEvents(box);

    await box.ok(['down', '--volumes', `--confirm=${stackOf(box).name}`]);
    assert.deepEqual(await stackOf(box).containers(), [], 'nothing is left of the box');
    await assert.rejects(access(box.workspace), 'nor of its workspace');

    // As on another machine: the box that comes up knows nothing.
    await box.ok(['up', '--docker']);
    assert.notEqual((await readEvents(box))[0]?.hash, before[0]!.hash, 'it is another box');
    await box.ok(['down']);
    const restored = await box.json<{ ledger: Head }>(['restore', '--force', archive]);
    assert.deepEqual(restored.ledger, made.ledger);
    await box.ok(['up']);

    const events = await readEvents(box);
    const { seq, hash } = made.ledger;
    assert.deepEqual(events.slice(0, seq), before.slice(0, seq));
    assert.equal(events[seq - 1]!.hash, hash, 'the head of the backup is in the ledger, at its place');
    assert.equal((await box.json<LedgerReport>(['events', 'verify'])).ok, true);
    const { url } = await devOf(box, 'kept');
    await until('the site answers again', async () =>
      /kept/.test((await get(url).catch(() => null))?.text ?? ''),
    );

    await deliver(box, 'kept', [
      { id: 'kept-next', attempts: [page('kept, and more')], acceptance: '  - url: /\n' },
    ]);
    assert.match((await get(url)).text, /kept, and more/);
    assert.deepEqual(findDoubles(await readEvents(box)), []);
  },
};
