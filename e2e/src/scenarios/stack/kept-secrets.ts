import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { get, until } from '../../box.ts';
import { readEvents } from '../../ledger-checks.ts';
import { service } from '../../recorded-task.ts';
import type { Scenario } from '../../scenario.ts';
import { DOCKER, deliver, devOf, stackOf } from '../../scenario.ts';
import { docker, dockerOutput } from '../../stack.ts';
import { readSecrets } from './images.ts';

const CANARY = 'canary-of-a-setting-3f9b61aa';
/** Answers whether it has the setting, without giving it away. */
const PROUD = `globalThis.answer = (request, response) => {
  if (request.url !== '/has') return false;
  response.end(process.env.API_KEY === '${[...CANARY].reverse().join('')}'.split('').reverse().join('') ? 'has it' : 'has it not');
  return true;
};`;

export const keptSecrets: Scenario = {
  name: 'no token, password or setting shows in what the engine tells, in logs, events, images or the share',
  modes: DOCKER,
  async run(box) {
    await box.ok(['up']);
    const sinceS = Math.floor(Date.now() / 1000);
    const report = await deliver(box, 'proud', [
      { id: 'proud', attempts: [service('one', PROUD)], acceptance: '  - url: /\n' },
    ]);
    const set = await box.dbox(['env', 'set', 'proud', 'API_KEY'], { input: CANARY });
    assert.equal(set.code, 0, set.stderr);
    await until('the site has its setting', async () => {
      const answer = await get(`${report.url}/has`).catch(() => null);
      return answer?.text === 'has it' && (await devOf(box, 'proud')).release?.status === 'live';
    });

    const secrets = [...(await readSecrets(box)), CANARY];
    const look = (where: string, text: string) => {
      for (const secret of secrets) {
        const at = text.indexOf(secret);
        assert.equal(
          at,
          -1,
          `${where} shows ${secret.slice(0, 12)}…: ${text.slice(Math.max(0, at - 200), at)}`,
        );
      }
    };
    const stack = stackOf(box);
    const containers = await stack.containers();
    for (const { Id, Name, Image } of containers) {
      look(`inspect of ${Name}`, await docker(['inspect', Id]));
      look(`the log of ${Name}`, await dockerOutput(['logs', Id]));
      look(`the image of ${Name}`, await docker(['image', 'inspect', Image]));
      look(
        `the history of ${Name}'s image`,
        await docker(['history', '--no-trunc', '--format', 'json', Image]),
      );
    }
    const window = ['--since', String(sinceS), '--until', String(Math.ceil(Date.now() / 1000))];
    look("the engine's events", await docker(['events', ...window, '--format', 'json']));
    look('the ledger', JSON.stringify(await readEvents(box)));
    look('the state of the box', JSON.stringify(await box.json(['status'])));
    for (const [file, text] of await readShare(box.workspace)) look(file, text);
  },
};

/** All that lies on the share but the place for secrets itself. */
async function readShare(workspace: string): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for (const entry of await readdir(workspace, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || file.startsWith(join(workspace, 'secrets'))) continue;
    found.push([file, await readFile(file, 'latin1').catch(() => '')]);
  }
  return found;
}
