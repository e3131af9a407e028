import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { Box } from '../box.ts';
import { page } from '../recorded-task.ts';
import type { Scenario } from '../scenario.ts';
import { BOTH, deliver, showTask } from '../scenario.ts';
import { urlOf } from '../soak/box-client.ts';
import type { Service } from '../stack.ts';
import { docker } from '../stack.ts';

const MB = 1024 * 1024;
/** Inside the stack; what is published for people may be another. */
const MANAGER_PORT = 7700;

export const boundedTests: Scenario = {
  name: 'tests that never end, fork on, flood or hog are bounded, named for what they did, and cost the box no memory',
  modes: BOTH,
  stack: 'stories',
  async run(box) {
    await box.ok(['up']);
    const before = await residentBytes(box);
    const hostile: readonly { id: string; script: string; says: RegExp }[] = [
      { id: 'endless', script: 'while :; do sleep 1; done', says: /did not end within/ },
      { id: 'forks', script: '(setsid sleep 300 &) ; (sleep 301 &) ; exit 1', says: /exit|child|left/i },
      {
        id: 'flood',
        script: "head -c 1000000000 /dev/zero | tr '\\0' 'x' | fold -w 80; exit 1",
        says: /exit 1|code 1/,
      },
      { id: 'one-line', script: "head -c 300000000 /dev/zero | tr '\\0' 'x'; exit 1", says: /exit 1|code 1/ },
      { id: 'no-script', script: 'exec ./not-there.sh', says: /not|127|126/ },
    ];
    for (const { id, script, says } of hostile) {
      const minutes = id === 'endless' ? 0.05 : 2;
      await deliver(
        box,
        id,
        [
          {
            id,
            attempts: [{ ...page(id), 'run-tests.sh': `#!/bin/sh\n${script}\n` }],
            tests: ['./run-tests.sh'],
            more: `constraints: {max_attempts: 1, max_minutes: ${minutes}}`,
          },
        ],
        1,
      );
      const task = await showTask(box, id);
      const verdict = task.attempts[0]!.verdict!;
      assert.notEqual(verdict.outcome, 'passed', id);
      assert.match(verdict.tests[0]!.detail, says, `${id}: ${verdict.tests[0]!.detail}`);
      assert.ok(verdict.tests[0]!.outputHead.length + verdict.tests[0]!.outputTail.length < 256 * 1024);
    }
    const grown = (await residentBytes(box)) - before;
    assert.ok(grown < 64 * MB, `the box grew by ${(grown / MB).toFixed(0)} MB`);
  },
};

export const isolatedTests: Scenario = {
  name: 'a test sees its own tree: no token, no task.db, no other project, no manager; and cannot change its acceptance',
  modes: BOTH,
  async run(box) {
    await box.ok(['up']);
    const url = await urlOf(box);
    const hidden = [box.workspace, `${box.workspace}/task.db`, `${box.workspace}/secrets/admin.token`];
    const urls = [url];
    if (box.stack !== null) {
      // What the testing agent's own container holds, and the manager by the name it knows.
      hidden.push('/run/secrets', '/workspace', '/var/run/docker.sock', '/run/docker.sock');
      urls.push(`http://manager:${MANAGER_PORT}`, 'http://task-store:5432', 'http://gateway:8080');
    }
    const spy = `import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
test('no secret and no neighbour is in sight', async () => {
  for (const path of ${JSON.stringify(hidden)}) assert.ok(!existsSync(path), path);
  for (const url of ${JSON.stringify(urls)}) await assert.rejects(fetch(url + '/healthz'), url);
  for (const name of readdirSync('/proc').filter((one) => /^\\d+$/.test(one))) {
    let text = '';
    try { text = readFileSync('/proc/' + name + '/cmdline', 'utf8') + readFileSync('/proc/' + name + '/environ', 'utf8'); } catch {}
    assert.ok(!/dbox_(admin|operator|agent|job)/.test(text.replace(/dbox_\\(admin.*/, '')), name);
  }
  assert.throws(() => writeFileSync('/usr/evil', 'x'));
});
`;
    const report = await deliver(box, 'spy', [
      {
        id: 'spy',
        attempts: [{ ...page('spy'), 'test/spy.test.mjs': spy }],
        tests: ['node --test'],
        acceptance: '  - url: /\n',
      },
    ]);
    assert.equal(
      report.story.status,
      'delivered',
      JSON.stringify((await showTask(box, 'spy')).attempts[0]?.verdict),
    );

    const cheat = await deliver(
      box,
      'cheat',
      [
        {
          id: 'cheat',
          attempts: [
            {
              ...page('wrong'),
              'run-tests.sh':
                "#!/bin/sh\nfor f in $(find / -name 'spec.yaml' 2>/dev/null); do echo 'acceptance: []' > $f; done\nrm -rf /workspace 2>/dev/null\necho 1..1; echo ok 1\n",
            },
          ],
          tests: ['./run-tests.sh'],
          acceptance: '  - url: /\n    contains: right\n',
          more: 'constraints: {max_attempts: 1}',
        },
      ],
      1,
    );
    assert.equal(cheat.story.status, 'failed');
  },
};

/** Of what a flood would fill: the box's process, or in containers the manager and the agent. */
async function residentBytes(box: Box): Promise<number> {
  if (box.stack === null) {
    const text = await readFile(`/proc/${await box.pid()}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(text)![1]) * 1024;
  }
  let bytes = 0;
  for (const service of ['manager', 'testing-agent'] satisfies Service[]) {
    const { Id } = await box.stack.service(service);
    const rows = (await docker(['top', Id, '-eo', 'pid,rss'])).trim().split('\n').slice(1);
    bytes += Math.max(...rows.map((row) => Number(row.trim().split(/\s+/)[1]))) * 1024;
  }
  return bytes;
}
