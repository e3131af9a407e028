import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findToolchain, openSandbox } from '@dbox/sandbox';
import { createProcessTarget } from './process-target.ts';
import { describeTarget } from './testing/target.testsuite.ts';

const toolchain = await findToolchain();
const sandbox = await openSandbox({ toolchain });
const none = await openSandbox({ toolchain, allowNone: true });

if (sandbox.kind === 'bubblewrap') {
  describeTarget({
    name: 'process in bubblewrap',
    open: async (directories) => createProcessTarget({ ...directories, sandbox, allowUnsandboxed: false }),
  });
} else {
  test('process in bubblewrap', { skip: sandbox.missing ?? 'there is no sandbox' }, () => undefined);
}

describeTarget({
  name: 'process without a sandbox',
  open: async (directories) => createProcessTarget({ ...directories, sandbox: none, allowUnsandboxed: true }),
});

const nowhere = { dataDir: '/nonexistent', runtimeDir: '/nonexistent', sandbox: none };

test('without a sandbox only the box’s own code runs, until a person allows others', () => {
  const strict = createProcessTarget({ ...nowhere, allowUnsandboxed: false });
  assert.match(strict.refusal({ trusted: false }) ?? '', /--no-sandbox/);
  assert.equal(strict.refusal({ trusted: true }), null);
  assert.equal(createProcessTarget({ ...nowhere, allowUnsandboxed: true }).refusal({ trusted: false }), null);
});

test('a directory whose socket paths would be too long is named instead of failing inside', async () => {
  const target = createProcessTarget({
    ...nowhere,
    runtimeDir: `/tmp/${'x'.repeat(100)}`,
    allowUnsandboxed: true,
  });
  const run = {
    releaseId: 'rel_0000000001',
    project: 'demo',
    environment: 'dev',
    commit: 'c'.repeat(40),
    runPlan: { kind: 'static', build: null, root: '.', from: 'static files' },
    tree: '/tmp',
  } as const;
  await assert.rejects(target.start(run, { marker: 'suite/x', onLine: () => undefined }), /too long/);
});
