import assert from 'node:assert/strict';
import type { Release } from '@dbox/contracts';
import { Box, get, until } from '../box.ts';
import { findDoubles, readEvents } from '../ledger-checks.ts';
import { page, recordTasks } from '../recorded-task.ts';
import { showTask } from '../scenario.ts';
import { freeze } from './killer.ts';

const LEASE_MS = 3_000;

/**
 * The whole box stands still for longer than a lease while a test runs, and while a release is on its
 * way: to everyone inside the clock jumps. Returns what was done twice or not at all.
 */
export async function freezeThroughLease(): Promise<string[]> {
  const box = await Box.make({ DBOX_LEASE_MS: String(LEASE_MS) });
  const findings: string[] = [];
  try {
    await box.ok(['up']);
    for (const [id, event] of [
      ['while-testing', '"action":"running sh slow.sh"'],
      ['while-smoking', 'release.starting'],
      ['while-coding', 'job.leased'],
    ] as const) {
      const file = await recordTasks(box.directory, [
        {
          id,
          attempts: [{ ...page(id), 'slow.sh': 'sleep 2; echo 1..1; echo ok 1\n' }],
          tests: ['sh slow.sh'],
          acceptance: `  - url: /\n    contains: ${id}\n`,
        },
      ]);
      await box.ok(['story', '-f', file, '--project', id]);
      await until(`${event} of ${id}`, async () => {
        const { stdout } = await box.ok(['events', '--json']);
        return stdout.split('\n').some((line) => line.includes(`"${id}"`) && line.includes(event));
      });
      await freeze(box, LEASE_MS * 1.5);
      await until(`${id} is delivered`, async () => (await showTask(box, id)).status === 'deployed');
      const task = await showTask(box, id);
      assert.equal(task.attemptCount, 1, `${id}: standing still uses no attempt`);
      const { releases } = await box.json<{ releases: Release[] }>(['releases']);
      const own = releases.filter((release) => release.project === id);
      assert.deepEqual(
        own.map((release) => release.status),
        ['live'],
        `${id}: one release was made, and it is live`,
      );
      const status = await box.json<{ projects: { name: string; environments: { url: string }[] }[] }>([
        'status',
      ]);
      const { url } = status.projects.find((project) => project.name === id)!.environments[0]!;
      assert.match((await get(url)).text, new RegExp(id));
    }
    findings.push(...findDoubles(await readEvents(box)));
  } catch (error) {
    findings.push(error instanceof Error ? error.message : String(error));
  }
  await box.close({ keep: findings.length > 0 });
  return findings;
}
