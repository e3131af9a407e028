import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { skipWithoutEngine } from '../../engine/testing/find-engine.ts';
import { writeManifest } from './compose-project/project-manifest.ts';
import { openContainerBench } from './testing/container-bench.ts';

const skip = await skipWithoutEngine();
const PLANS = {
  dockerfile: { kind: 'dockerfile', path: 'Dockerfile', port: null, from: 'Dockerfile' },
  compose: { kind: 'compose', path: 'compose.yaml', from: 'compose.yaml' },
} as const;

async function benchOf(t: TestContext) {
  const { engine, open } = await openContainerBench(t);
  const target = open();
  const dir = await mkdtemp(join(tmpdir(), 'foreign-image-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  let count = 0;
  async function release(files: Readonly<Record<string, string>>, kind: keyof typeof PLANS = 'dockerfile') {
    count += 1;
    const tree = join(dir, String(count));
    await mkdir(tree);
    for (const [path, text] of Object.entries(files)) await writeFile(join(tree, path), text);
    const run = {
      releaseId: `rel_${String(count).padStart(10, '0')}`,
      project: `project-${count}`,
      environment: 'dev',
      commit: String(count).padStart(40, '0'),
      runPlan: PLANS[kind],
      image: null,
      settingsVersion: 0,
      tree,
    };
    const built = await target.build(run, { signal: t.signal, onLine: () => undefined });
    assert.ok(built.ok, JSON.stringify(built));
    const start = () =>
      target.start(
        { ...run, image: built.image, settings: {} },
        { marker: 'x', onLine: () => undefined, signal: t.signal },
      );
    return { image: built.image!, start };
  }
  return { engine, target, release };
}

const APP = 'FROM debian:bookworm-slim\n';

test('labels of an image cannot have the box run the image of another project', { skip }, async (t) => {
  const { engine, target, release } = await benchOf(t);
  const other = await release({ Dockerfile: `${APP}CMD ["sleep", "60"]\n` });
  const manifest = writeManifest({
    composeFile: 'services: {web: {image: "debian:bookworm-slim", ports: ["80"]}}',
    path: 'compose.yaml',
    images: { web: other.image },
  });
  const labels = Object.entries(manifest).map(([key, value]) => `LABEL ${key}=${JSON.stringify(value)}\n`);
  const hostile = await release({ Dockerfile: `${APP}${labels.join('')}CMD ["sleep", "60"]\n` });
  const exit = await (await hostile.start()).exited;
  assert.equal(exit.cause, 'commit');
  assert.match(exit.detail, /label dbox\./);
  assert.deepEqual(await engine.listContainers(), []);
  await release({ Dockerfile: `${APP}LABEL dbox.images="{" dbox.compose-file=x\n` });
  await target.keepOnly([]);
});

test('a service cannot pass for another release by the labels of its image', { skip }, async (t) => {
  const { engine, release } = await benchOf(t);
  const { start } = await release(
    {
      Dockerfile: `${APP}CMD ["sleep", "60"]\n`,
      'kept.Dockerfile': `${APP}LABEL dbox.release=rel_0123456789\nCMD ["sleep", "60"]\n`,
      'compose.yaml': `
services:
  web: { build: ., ports: ["80"] }
  kept: { build: { context: ., dockerfile: kept.Dockerfile }, labels: { dbox.keep: "true" } }
`,
    },
    'compose',
  );
  const exit = await (await start()).exited;
  assert.equal(exit.cause, 'commit');
  assert.match(exit.detail, /service kept: the image has the label dbox\.release/);
  assert.deepEqual(await engine.listContainers(['dbox.release=rel_0123456789']), []);
});

test('an image that cannot be started is the fault of its commit', { skip }, async (t) => {
  const { release } = await benchOf(t);
  for (const [dockerfile, said] of [
    ['FROM scratch\nCOPY Dockerfile /\n', /no command specified/],
    [`${APP}USER nosuch\nCMD ["true"]\n`, /unable to find user nosuch/],
  ] as const) {
    const exit = await (await (await release({ Dockerfile: dockerfile })).start()).exited;
    assert.equal(exit.cause, 'commit');
    assert.match(exit.detail, said);
  }
});
