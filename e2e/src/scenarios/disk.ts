import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoryReport } from '@dbox/contracts';
import type { Box } from '../box.ts';
import { until } from '../box.ts';
import { page, recordTasks } from '../recorded-task.ts';
import type { Scenario } from '../scenario.ts';
import { deliver, showTask, skip, status } from '../scenario.ts';

const MB = 1024 * 1024;
/** Room for a box and a few releases; small enough to be filled in a moment. */
const DISK_MB = 64;

export const fullDisk: Scenario = {
  name: 'on a full disk a submission is refused as disk_full, nothing acknowledged is lost, and it goes on once there is space',
  // So that the disk can be filled to its last block while leases are still given.
  env: { DBOX_MIN_FREE_PERCENT: '0', DBOX_LEASE_MS: '3000' },
  async run(box) {
    if (process.getuid?.() !== 0) skip('only root may mount the small disk that it fills');
    await mkdir(box.workspace);
    try {
      runProgram('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', box.workspace]);
    } catch (error) {
      skip(`no file system can be mounted here: ${(error as Error).message.split('\n')[1] ?? ''}`);
    }
    try {
      await box.ok(['up']);
      const before = await deliver(box, 'before', [
        { id: 'before', attempts: [page('before')], acceptance: HOME },
      ]);
      await fillDisk(box);
      const file = await recordTasks(box.directory, [
        // Larger than what a file system may hand out from a block that is begun.
        { id: 'during', attempts: [{ ...page('during'), 'big.txt': 'x'.repeat(MB) }], acceptance: HOME },
      ]);
      const refused = await box.dbox(['story', '-f', file, '--project', 'during', '--json']);
      assert.equal(refused.code, 1, refused.stdout + refused.stderr);
      assert.match(refused.stderr + refused.stdout, /disk_full/);
      assert.match(refused.stderr + refused.stdout, /[Ff]ree some space/);
      assert.equal((await status(box)).stories.length, 1, 'what was refused is not there');
      const pid = await box.pid();
      const acknowledged = await submitUntilRefused(box);
      assert.equal(await box.pid(), pid, 'a full disk does not end the box');
      // A box that dies with its disk full has still everything that it acknowledged.
      await box.kill();
      await rm(join(box.workspace, 'filler'));
      await box.ok(['up']);
      assert.equal((await box.json<StoryReport>(['show', before.story.id])).story.status, 'delivered');
      for (const id of acknowledged) assert.equal((await box.json<StoryReport>(['show', id])).story.id, id);
      const after = await box.json<StoryReport>(['story', '-f', file, '--project', 'during', '--follow']);
      assert.equal(after.story.status, 'delivered');
      assert.equal((await box.dbox(['events', 'verify'])).code, 0);
    } finally {
      await box.dbox(['down']);
      await box.kill();
      runProgram('umount', ['-l', box.workspace]);
    }
  },
};

const HOME = '  - url: /\n';

/** Small stories may still find room in what the store holds already: each is acknowledged, or refused as `disk_full`. */
async function submitUntilRefused(box: Box): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let n = 0; n < 20; n += 1) {
    const ran = await box.dbox(['story', `A page that says ${n}`, '--json']);
    if (ran.code !== 0) {
      assert.match(ran.stderr + ran.stdout, /disk_full/);
      return acknowledged;
    }
    acknowledged.push((JSON.parse(ran.stdout) as StoryReport).story.id);
  }
  throw new Error('twenty stories were taken in on a full disk');
}

function runProgram(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: 'pipe', timeout: 10_000 });
}

/** Until not a block is left. */
async function fillDisk(box: Box): Promise<void> {
  const filler = join(box.workspace, 'filler');
  for (let sizeBytes = MB, n = 0; ; n += 1) {
    const { bavail, bsize } = await statfs(box.workspace);
    if (bavail === 0 || n > 200) return;
    sizeBytes = Math.min(sizeBytes, bavail * bsize);
    await writeFile(filler, Buffer.alloc(sizeBytes), { flag: 'a' }).catch(() => undefined);
  }
}

export const littleSpace: Scenario = {
  name: 'with too little free space no new work is handed out, status says so, and it goes on by itself after',
  env: { DBOX_MIN_FREE_PERCENT: '100' },
  async run(box) {
    await box.ok(['up']);
    await until('the box has looked at its disk', async () =>
      (await status(box)).box.warnings.some((warning) => /% of the disk is free/.test(warning)),
    );
    const file = await recordTasks(box.directory, [
      { id: 'waits', attempts: [page('waits')], acceptance: HOME },
    ]);
    await box.ok(['story', '-f', file, '--project', 'waits']);
    await until('the task is assigned', async () => (await showTask(box, 'waits')).status === 'assigned');
    assert.match((await box.ok(['status'])).stdout + (await box.ok(['status'])).stderr, /free some space/i);
    const { stdout } = await box.ok(['events', '--json']);
    assert.doesNotMatch(stdout, /job\.leased/, 'no lease was given');
    await box.ok(['down']);
    const up = await box.dbox(['up'], { env: { DBOX_MIN_FREE_PERCENT: '0' } });
    assert.equal(up.code, 0, up.stderr);
    await until('it is delivered', async () => (await showTask(box, 'waits')).status === 'deployed');
  },
};
