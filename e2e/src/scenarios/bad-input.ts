import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { StatusReport } from '@dbox/contracts';
import type { Box } from '../box.ts';
import { get } from '../box.ts';
import type { Scenario } from '../scenario.ts';
import { status } from '../scenario.ts';

interface BadSpec {
  readonly what: string;
  readonly yaml: string;
  /** Must be in what is printed. */
  readonly says: RegExp;
}

const BAD_SPECS: readonly BadSpec[] = [
  { what: 'malformed YAML', yaml: 'id: x\ntitle: [unclosed\n', says: /bad\.yaml:\d+:\d+/ },
  {
    what: 'an unknown key',
    yaml: 'id: x\ntitle: t\ntsets:\n  - run: a\n',
    says: /bad\.yaml:3:1.*tsets[\s\S]*tests/,
  },
  { what: 'a wrong type', yaml: 'id: x\ntitle: t\ntests: 5\n', says: /bad\.yaml:3:\d+/ },
  {
    what: 'an unknown dependency',
    yaml: 'id: x\ntitle: t\ntests: [{run: a}]\ndepends_on: [ghost]\n',
    says: /bad\.yaml:4:\d+[\s\S]*ghost/,
  },
  {
    what: 'a cycle',
    yaml: 'id: a\ntitle: t\ntests: [{run: a}]\ndepends_on: [b]\n---\nid: b\ntitle: t\ntests: [{run: a}]\ndepends_on: [a]\n',
    says: /wait for each other: a → b → a/,
  },
  {
    what: 'an id with a path in it',
    yaml: 'id: ../../etc\ntitle: t\ntests: [{run: a}]\n',
    says: /bad\.yaml:1:\d+/,
  },
  {
    what: 'an output outside of the workspace',
    yaml: 'id: x\ntitle: t\noutputs: [{path: /workspace/../etc}]\ntests: [{run: a}]\n',
    says: /workspace/,
  },
  {
    what: 'a template that does not exist',
    yaml: 'id: x\ntitle: t\ninputs: [{type: template, name: nope}]\ntests: [{run: a}]\n',
    says: /nope[\s\S]*simple-static/,
  },
  {
    what: 'an attempt that does not exist',
    yaml: 'id: x\ntitle: t\ninputs: [{type: scripted, attempts: [gone]}]\ntests: [{run: a}]\n',
    says: /gone/,
  },
];

export const badInput: Scenario = {
  name: 'bad input gets a clear error that says what to do, and changes nothing',
  async run(box) {
    await box.ok(['up']);
    const file = join(box.directory, 'bad.yaml');
    for (const { what, yaml, says } of BAD_SPECS) {
      await writeFile(file, yaml);
      const ran = await box.dbox(['story', '-f', file]);
      assert.ok(ran.code === 1 || ran.code === 2, `${what}: exit ${ran.code}\n${ran.stderr}`);
      assert.match(ran.stderr + ran.stdout, says, `${what}: ${ran.stderr}`);
    }
    const empty = await box.dbox(['story', '   ']);
    assert.equal(empty.code, 2, empty.stderr);
    const huge = await raw(box, 'POST', '/v1/stories', JSON.stringify({ text: 'x'.repeat(1024 * 1024) }));
    assert.equal(huge.status, 413);
    const name = await box.dbox(['project', 'add', '../evil']);
    assert.ok(name.code === 1 || name.code === 2);
    const control = await raw(box, 'PUT', `/v1/projects/${encodeURIComponent('a\u0007b')}`, '');
    assert.equal(control.status, 400);
    for (const token of ['', 'nonsense', 'dbox_admin_00000000000000000000000000000000_000000']) {
      const answer = await raw(box, 'GET', '/v1/status', undefined, token);
      assert.equal(answer.status, 401, token);
      assert.match(answer.type, /problem\+json/);
    }
    const viewer = (await readFile(join(box.workspace, 'secrets/viewer.token'), 'utf8')).trim();
    assert.equal((await raw(box, 'POST', '/v1/stories', '{"text":"x"}', viewer)).status, 403);
    assert.equal((await box.dbox(['status'], { env: { DBOX_TOKEN: 'wrong' } })).code, 4);
    assert.equal((await box.dbox(['statsu'])).code, 2);
    assert.match((await box.dbox(['statsu'])).stderr, /status/);
    assert.equal((await box.dbox(['show', 'ghost'])).code, 1);

    const after = await status(box);
    assert.deepEqual([after.stories.length, after.projects.length], [0, 0], 'nothing was left behind');
  },
};

export const idempotentSubmission: Scenario = {
  name: 'the same submission sent twenty times at once is one story with twenty equal answers',
  async run(box) {
    await box.ok(['up']);
    const body = JSON.stringify({ text: 'A page that says hello' });
    const key = { 'idempotency-key': 'once-and-only-once' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => raw(box, 'POST', '/v1/stories', body, undefined, key)),
    );
    assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200]);
    assert.equal(new Set(answers.map((answer) => answer.text)).size, 1);
    assert.equal((await status(box)).stories.length, 1);
    const other = await raw(
      box,
      'POST',
      '/v1/stories',
      JSON.stringify({ text: 'Something else' }),
      undefined,
      key,
    );
    assert.equal(other.status, 422);
  },
};

export const sideBySide: Scenario = {
  name: 'a second box on one workspace names the first; taken ports are replaced by free ones and said',
  async run(box) {
    const blocker = createServer((_, response) => response.end('taken'));
    await new Promise<void>((listening) =>
      blocker.listen(Number(box.env.DBOX_GATEWAY_PORT), '127.0.0.1', listening),
    );
    const managerBlocker = createServer((_, response) => response.end('taken'));
    await new Promise<void>((listening) =>
      managerBlocker.listen(Number(box.env.DBOX_PORT), '127.0.0.1', listening),
    );
    try {
      const up = await box.ok(['up']);
      const report = await box.json<StatusReport>(['status']);
      assert.notEqual(report.box.url, `http://127.0.0.1:${box.env.DBOX_PORT}`);
      assert.match(up.stderr + up.stdout, new RegExp(new URL(report.box.url).port));
      const run = await box.ok(['run', 'A page that says hello']);
      const url = run.stdout.trim().split('\n').at(-1)!;
      assert.notEqual(new URL(url).port, box.env.DBOX_GATEWAY_PORT);
      assert.equal((await get(url)).status, 200);
      assert.match((await status(box)).box.warnings.join('\n'), /taken/);

      const { spawnSync } = await import('node:child_process');
      const root = join(import.meta.dirname, '../../..');
      const second = spawnSync(
        process.execPath,
        ['--no-warnings', join(root, 'box/src/main.ts'), '--workspace', box.workspace],
        { encoding: 'utf8', timeout: 60_000 },
      );
      assert.equal(second.status, 1);
      assert.match(second.stderr, new RegExp(`process ${await box.pid()}`));
      assert.match((await box.ok(['up'])).stderr, /already|up/i);
    } finally {
      blocker.close();
      managerBlocker.close();
    }
  },
};

export const importAndClone: Scenario = {
  name: 'an existing repository comes in with its history, is worked on, and goes out again',
  async run(box) {
    const { execFileSync } = await import('node:child_process');
    const source = join(box.directory, 'mine');
    await mkdir(source);
    await writeFile(join(source, 'index.html'), '<h1>mine</h1>');
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=me', '-c', 'user.email=me@localhost', ...args], {
        cwd: source,
        encoding: 'utf8',
      });
    git('init', '-q', '-b', 'trunk');
    git('add', '.');
    git('commit', '-qm', 'mine');
    await box.ok(['up']);
    await box.ok(['project', 'add', 'mine', '--from', source]);
    assert.match((await box.ok(['project', 'list'])).stdout, /mine/);
    assert.equal((await box.dbox(['project', 'add', 'mine'])).code, 1);
    await box.ok(['clone', 'mine', join(box.directory, 'out')]);
    assert.equal(await readFile(join(box.directory, 'out/index.html'), 'utf8'), '<h1>mine</h1>');
    await box.ok(['project', 'remove', 'mine', '-y']);
    assert.equal((await status(box)).projects.length, 0);
  },
};

async function raw(
  box: Box,
  method: string,
  path: string,
  body?: string,
  token?: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string; type: string }> {
  const { url } = JSON.parse(await readFile(join(box.workspace, 'box.json'), 'utf8')) as { url: string };
  const bearer = token ?? (await readFile(join(box.workspace, 'secrets/operator.token'), 'utf8')).trim();
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }),
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  return {
    status: response.status,
    text: await response.text(),
    type: response.headers.get('content-type') ?? '',
  };
}
