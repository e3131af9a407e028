import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import type { Box } from '../../box.ts';
import { until } from '../../box.ts';
import { findDoubles, readEvents } from '../../ledger-checks.ts';
import { page } from '../../recorded-task.ts';
import type { Scenario } from '../../scenario.ts';
import { DOCKER, deliver, stackOf, status } from '../../scenario.ts';
import { urlOf } from '../../soak/box-client.ts';
import { docker } from '../../stack.ts';

const ROOT = resolve(import.meta.dirname, '../../../..');
const STACK = 'agents';

export const scaledAgents: Scenario = {
  name: 'three coding agents share the work of one service, and one again is enough',
  modes: DOCKER,
  stack: STACK,
  async run(box) {
    await box.ok(['up', '--scale', 'coding-agent=3']);
    await until('three coding agents stand in line', async () => (await codingAgents(box)).length === 3);
    const names = Array.from({ length: 6 }, (_, n) => `scaled-${n}`);
    const report = await deliver(
      box,
      'scaled',
      names.map((id) => ({
        id,
        attempts: [{ ...page('scaled'), [`${id}.txt`]: id }],
        acceptance: `  - url: /\n`,
      })),
    );
    assert.equal(report.story.status, 'delivered');
    assert.deepEqual(findDoubles(await readEvents(box)), []);
    await box.ok(['up', '--scale', 'coding-agent=1']);
    await until('one is left', async () => (await stackOf(box).instances('coding-agent')).length === 1);
  },
};

export const hostAgent: Scenario = {
  name: 'an agent on another host needs the manager’s address and its token, and nothing else',
  modes: DOCKER,
  stack: STACK,
  async run(box) {
    await box.ok(['up']);
    const containers = await stackOf(box).instances('coding-agent');
    for (const { Id } of containers) await docker(['stop', Id]);
    const agent = spawn(process.execPath, ['--no-warnings', join(ROOT, 'agents/coding/src/main.ts')], {
      cwd: box.directory,
      env: {
        PATH: process.env.PATH,
        DBOX_MANAGER_URL: await urlOf(box),
        DBOX_TOKEN_FILE: join(box.workspace, 'secrets', 'agent-coding.token'),
        DBOX_STATE_DIR: join(box.directory, 'elsewhere'),
        DBOX_AGENT_NAME: 'elsewhere',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    agent.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const ended = once(agent, 'exit');
    try {
      await until(`it is known to the box; it said: ${said}`, async () =>
        (await codingAgents(box)).some((one) => one.name === 'elsewhere'),
      );
      const report = await deliver(box, 'elsewhere', [
        { id: 'elsewhere', attempts: [page('elsewhere')], acceptance: '  - url: /\n' },
      ]);
      assert.equal(report.story.status, 'delivered', said);
    } finally {
      agent.kill('SIGTERM');
      await ended;
      for (const { Id } of containers) await docker(['start', Id]);
    }
  },
};

async function codingAgents(box: Box) {
  const { agents } = await status(box);
  return agents.filter((agent) => agent.kind === 'coding' && agent.state === 'online');
}
