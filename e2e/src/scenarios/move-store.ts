import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LedgerReport } from '@dbox/contracts';
import { get, until } from '../box.ts';
import { findDoubles, readEvents } from '../ledger-checks.ts';
import { page } from '../recorded-task.ts';
import type { Scenario } from '../scenario.ts';
import { deliver, devOf, skip } from '../scenario.ts';
import { docker, Stack } from '../stack.ts';

const IMAGE = 'postgres:17';

export const moveToPostgres: Scenario = {
  name: 'a box moves its store to Postgres and goes on there, and does not start without it',
  async run(box) {
    const postgres = await startPostgres();
    try {
      const passwordFile = join(box.directory, 'postgres.password');
      await writeFile(passwordFile, postgres.password, { mode: 0o600 });
      const password = { DBOX_STORE_PASSWORD_FILE: passwordFile };
      const inPostgres = { env: { ...password, DBOX_STORE: postgres.url } };

      await box.ok(['up']);
      await deliver(box, 'moved', [{ id: 'moved', attempts: [page('moved')], acceptance: '  - url: /\n' }]);
      const { url } = await devOf(box, 'moved');
      await box.ok(['down']);
      const ran = await box.dbox(['migrate', '--to', postgres.url, '--json'], { env: password });
      assert.equal(ran.code, 0, ran.stderr);
      const moved = JSON.parse(ran.stdout) as { to: string; ledger: { seq: number; hash: string } };
      assert.equal(moved.to, 'postgres');
      assert.ok(!ran.stdout.includes(postgres.password) && !ran.stderr.includes(postgres.password));

      const up = await box.dbox(['up'], inPostgres);
      assert.equal(up.code, 0, up.stderr);
      assert.equal((await box.json<LedgerReport>(['events', 'verify'])).ok, true);
      assert.equal((await readEvents(box))[moved.ledger.seq - 1]!.hash, moved.ledger.hash);
      await until('the site answers', async () =>
        /moved/.test((await get(url).catch(() => null))?.text ?? ''),
      );
      await deliver(box, 'moved', [
        { id: 'moved-next', attempts: [page('moved, and more')], acceptance: '  - url: /\n' },
      ]);
      assert.match((await get(url)).text, /moved, and more/);
      assert.deepEqual(findDoubles(await readEvents(box)), []);
      await box.ok(['down']);

      const refused = await box.dbox(['up']);
      assert.equal(refused.code, 1, refused.stdout + refused.stderr);
      assert.match(refused.stderr, /has its store in Postgres/);
      assert.ok(refused.stderr.includes(`DBOX_STORE=${postgres.url}`), refused.stderr);
      assert.doesNotMatch(refused.stderr, /\n\s+at .*\.ts:\d+/, 'a person is told, not shown a stack trace');
      assert.equal(await box.pid(), null);
      assert.ok(!(await readdir(box.workspace)).includes('task.db'), 'and no empty store lies beside it');
    } finally {
      // The box first: one whose store is gone waits for it.
      await box.dbox(['down']);
      postgres.remove();
    }
  },
};

/** Of the scenario's own, in memory; taken away also when the run is broken off. */
async function startPostgres() {
  const image = await docker(['image', 'ls', '--quiet', IMAGE]).catch(() => null);
  if (!image?.trim()) {
    const reason = image === null ? 'there is no container engine' : `there is no image ${IMAGE} here`;
    if (process.env.DBOX_TEST_ENGINE === 'required') throw new Error(reason);
    skip(reason);
  }
  const password = randomBytes(12).toString('hex');
  const stack = new Stack(Stack.newName());
  const remove = () => {
    process.off('exit', remove);
    stack.removeAll();
  };
  process.once('exit', remove);
  try {
    const name = `${stack.name}-postgres`;
    await docker([
      ...['run', '--detach', '--name', name, '--label', `dbox.box=${stack.name}`],
      ...['--tmpfs', '/var/lib/postgresql/data', '--publish', '127.0.0.1::5432', '--stop-timeout', '1'],
      ...['--env', 'POSTGRES_USER=dbox', '--env', `POSTGRES_PASSWORD=${password}`, IMAGE],
    ]);
    // While it sets itself up it takes no TCP, so the first that is taken is the real server's.
    await until('Postgres takes connections', () =>
      docker(['exec', name, 'pg_isready', '--quiet', '--host', '127.0.0.1']).then(
        () => true,
        () => false,
      ),
    );
    const port = /:(\d+)\s*$/m.exec(await docker(['port', name, '5432/tcp']))![1]!;
    return { url: `postgres://dbox@127.0.0.1:${port}/dbox`, password, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
