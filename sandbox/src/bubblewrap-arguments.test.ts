import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildBubblewrapArguments } from './bubblewrap-arguments.ts';
import type { SandboxCommand } from './sandbox.ts';

const COMMAND: SandboxCommand = {
  run: 'true',
  tree: '/host/tree',
  env: {},
  network: 'none',
  limits: { timeoutMs: 1, memoryMb: 64, processes: 8, headBytes: 1, tailBytes: 1, fileSizeMb: 1 },
};
function build(command: Partial<SandboxCommand>): string[] {
  return buildBubblewrapArguments({
    command: { ...COMMAND, ...command },
    marker: 'box.1',
    toolchain: { nodeBin: '/host/node', npmDir: '/home/me/npm', npmRegistry: null },
    layout: { directories: ['/usr'], links: [], settings: [], resolving: [] },
    features: { disableUserns: true, tmpfsSize: true },
  });
}

test('the network is shared only where the host network was asked for', () => {
  assert.equal(build({ network: 'none' }).includes('--share-net'), false);
  assert.equal(build({ network: 'host' }).includes('--share-net'), true);
});

test('a mount may cover a part of the tree, and the root is locked after all mounts', () => {
  const args = build({
    readable: [{ host: '/host/history', inside: '/src/.git' }],
    writable: [{ host: '/host/data', inside: '/data' }],
  });
  const tree = args.indexOf('/host/tree');
  assert.ok(tree < args.indexOf('/host/history'));
  assert.ok(args.indexOf('/host/data') < args.lastIndexOf('--remount-ro'));
  assert.equal(args[args.indexOf('/host/history') - 1], '--ro-bind');
  assert.equal(args[args.indexOf('/host/data') - 1], '--bind');
});

test('a value with a NUL byte, which could smuggle in an argument, is refused', () => {
  assert.throws(() => build({ env: { A: 'x\0--share-net' } }), /NUL/);
});
