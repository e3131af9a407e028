import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createNames } from '../../engine/names.ts';
import { skipWithoutEngine } from '../../engine/testing/find-engine.ts';
import { createImageShelf } from './image-shelf.ts';
import { openContainerBench } from './testing/container-bench.ts';

const skip = await skipWithoutEngine();
const PLAN = { kind: 'command', build: null, run: 'node app.js', from: 'x' } as const;

test('five images of a project are kept, and those that listed releases need', { skip }, async (t) => {
  const { engine, box, open } = await openContainerBench(t);
  const tree = await mkdtemp(join(tmpdir(), 'shelf-'));
  t.after(() => rm(tree, { recursive: true, force: true }));
  const target = open();
  const built: { commit: string; image: string | null }[] = [];
  for (const digit of '12345678') {
    await writeFile(join(tree, 'app.js'), `// ${box} ${digit}`);
    const commit = digit.repeat(40);
    const run = { releaseId: 'rel_0000000001', project: 'demo', environment: 'dev', commit, tree } as const;
    const outcome = await target.build(
      { ...run, runPlan: PLAN, image: null, settingsVersion: 0 },
      { signal: t.signal, onLine: () => undefined },
    );
    assert.ok(outcome.ok, JSON.stringify(outcome));
    built.push({ commit, image: outcome.image });
    // The engine tells the age of images in whole seconds.
    const until = Math.ceil(Date.now() / 1000) * 1000;
    while (Date.now() < until) await new Promise(setImmediate);
  }
  // A later life: nothing was built in it.
  const shelf = createImageShelf({ engine, names: createNames(box) });
  const oldest = { project: 'demo', environment: 'dev', runPlan: PLAN, ...built[0]! };
  await shelf.keepOnly([oldest]);
  const left = (await engine.listImages(['dbox.role=release'])).map(({ Id }) => Id);
  const kept = [built[0], ...built.slice(3)].map((one) => one!.image);
  assert.deepEqual(new Set(left), new Set(kept));
});
