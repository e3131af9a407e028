import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { before, test } from 'node:test';
import { installDependencies } from './install-dependencies.ts';
import { endMarked, findMarked } from './marked-processes.ts';
import { openSandbox } from './open-sandbox.ts';
import type { CommandOutcome, Sandbox, SandboxCommand } from './sandbox.ts';
import { findToolchain } from './toolchain.ts';

let sandbox: Sandbox;
let none: Sandbox;
before(async () => {
  const toolchain = await findToolchain();
  sandbox = await openSandbox({ toolchain });
  none = await openSandbox({ toolchain, allowNone: true });
});

const LIMITS = {
  timeoutMs: 60_000,
  memoryMb: 256,
  processes: 64,
  headBytes: 4_096,
  tailBytes: 4_096,
  fileSizeMb: 8,
};

function makeDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'dbox-sandbox-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
type Parts = Partial<Omit<SandboxCommand, 'limits'>> & { readonly limits?: Partial<typeof LIMITS> };
function makeCommand(t: TestContext, run: string, parts: Parts = {}): SandboxCommand {
  return {
    run,
    tree: parts.tree ?? makeDirectory(t),
    env: {},
    network: 'none',
    ...parts,
    limits: { ...LIMITS, ...parts.limits },
  };
}
async function run(
  t: TestContext,
  script: string,
  parts?: Parts,
): Promise<CommandOutcome & { output: string }> {
  const ended = await sandbox.run(makeCommand(t, script, parts));
  return { ...ended, output: ended.head + ended.tail };
}
/** Isolation cannot be looked at where there is none; the machines that release the box have it. */
function lacksSandbox(t: TestContext): boolean {
  if (sandbox.kind === 'none') t.skip(`no sandbox here: ${sandbox.missing}`);
  return sandbox.kind === 'none';
}

test('a command runs in its tree with the pinned Node, npm and a home of its own', async (t) => {
  const { output, exitCode } = await run(
    t,
    'node -p process.version; npm -v; echo x > "$HOME/x" && echo y > y; exit 5',
  );
  assert.equal(exitCode, 5);
  assert.match(output, new RegExp(`^${process.version.replaceAll('.', '\\.')}\n\\d+\\.`));
});

test('standard output and error can be opened by name, and standard input is empty', async (t) => {
  const { output } = await run(t, 'echo one >/dev/stdout; echo two >/dev/stderr; cat; echo three >&2');
  assert.deepEqual(output.split('\n').sort(), ['', 'one', 'three', 'two']);
});

test('only the given environment reaches the command', async (t) => {
  const { output } = await run(t, 'env', { env: { GIVEN: 'yes' } });
  const names = output
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0])
    .sort();
  assert.deepEqual(names, ['DBOX_MARKER', 'GIVEN', 'HOME', 'LANG', 'PATH', 'PWD', 'TMPDIR']);
});

test('a file outside of the tree can be neither read nor written, and system files not written', async (t) => {
  if (lacksSandbox(t)) return;
  const outside = makeDirectory(t);
  await writeFile(join(outside, 'canary'), 'canary-51c2');
  // A sysctl is given the value it has, so that the test itself does no harm where the control is gone.
  const script = `cat ${outside}/canary; ls ${outside} /root /home /work; ls -d /etc/ssl/private /etc/pki/tls/private; cat /etc/shadow /etc/hostname
for file in ${outside}/new /usr/x /etc/x /x /dev/x /opt/dbox/bin/x; do echo x > $file && echo "wrote $file"; done
cat /proc/sys/vm/swappiness > /tmp/value; cat /tmp/value > /proc/sys/vm/swappiness && echo "wrote sysctl"
echo done`;
  const { output } = await run(t, script);
  assert.doesNotMatch(output, /canary-51c2|root:|wrote/);
  // The host's private keys, which root's own uid could read.
  assert.doesNotMatch(output, /^\/etc\/.*private$/m);
  assert.match(output, /done\n$/);
  assert.deepEqual(readdirSync(outside), ['canary']);
});

test('an .npmrc of the tree makes no program of its own part of an install', async (t) => {
  if (lacksSandbox(t)) return;
  const tree = makeDirectory(t);
  const files = {
    'package.json': JSON.stringify({ dependencies: { a: 'git+file:///src/none.git' } }),
    '.npmrc': 'git=/src/own-git\nignore-scripts=false\n',
    'own-git': '#!/bin/sh\n: > /src/ran\nexit 1\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(tree, name), text, { mode: 0o755 });
  const ended = await installDependencies({ sandbox, tree, timeoutMs: 60_000 });
  assert.notEqual(ended?.exitCode, 0);
  assert.equal(existsSync(join(tree, 'ran')), false);
});

test('what is mounted can be read, or written where that was asked for', async (t) => {
  const data = makeDirectory(t);
  const shown = makeDirectory(t);
  await writeFile(join(shown, 'page'), 'shown\n');
  const writable = { host: data, inside: '/data' };
  const readable = { host: shown, inside: '/shown' };
  for (const kind of [sandbox, none]) {
    const script = `cat ${kind.pathOf(readable)}/page; echo kept > ${kind.pathOf(writable)}/${kind.kind}`;
    const ended = await kind.run(makeCommand(t, script, { writable: [writable], readable: [readable] }));
    assert.equal(ended.head, 'shown\n');
    assert.ok(existsSync(join(data, kind.kind)));
  }
  const refused = await run(t, 'echo x > /shown/x', { readable: [readable] });
  if (sandbox.kind === 'bubblewrap') assert.notEqual(refused.exitCode, 0);
});

test('a service of the host is out of reach unless its network was asked for', async (t) => {
  if (lacksSandbox(t)) return;
  const server = createServer((_, response) => response.end('reached'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const script = `node -e "fetch('http://127.0.0.1:${port}').then(async (r) => console.log(await r.text()), (e) => console.log(e.cause.code))"`;
  assert.equal((await run(t, script, { network: 'none' })).output, 'ECONNREFUSED\n');
  assert.equal((await run(t, script, { network: 'host' })).output, 'reached\n');
});

test('other processes are neither seen nor signalled, and there are no capabilities', async (t) => {
  if (lacksSandbox(t)) return;
  const { output } = await run(
    t,
    `exec 2>&1; ls -d /proc/[0-9]*; kill -0 ${process.pid} || echo unseen; id -u; grep CapEff /proc/self/status; unshare -U true || echo refused`,
    { limits: { headBytes: 8_192 } },
  );
  const pids = output.match(/^\/proc\/\d+$/gm) ?? [];
  assert.ok(pids.length >= 3 && pids.length <= 6, output);
  assert.match(output, /unseen\n1000\nCapEff:\t0000000000000000\n.*refused/s);
});

test('a change to the mode of a device file is put back', async (t) => {
  if (lacksSandbox(t)) return;
  // Which only root could do at all; /dev/full is the one that nothing depends on.
  const mode = statSync('/dev/full').mode;
  await run(t, 'chmod 640 /dev/full');
  assert.equal(statSync('/dev/full').mode, mode);
});

test('a command that never ends is ended at its time-out, with all it started', async (t) => {
  for (const kind of [sandbox, none]) {
    const marker = `endless-${process.pid}-${kind.kind}`;
    const command = makeCommand(t, 'echo begun; setsid sleep 600 & sleep 600', {
      limits: { timeoutMs: 500 },
    });
    const ended = await (await kind.start({ ...command, marker })).exited;
    assert.equal(ended.end, 'timed_out');
    assert.equal(ended.head, 'begun\n');
    assert.match(ended.detail, /did not end within 0\.5 s/);
    assert.deepEqual(findMarked(marker), []);
  }
});

test('children that outlive the command are ended and counted', async (t) => {
  for (const kind of [sandbox, none]) {
    const marker = `orphans-${process.pid}-${kind.kind}`;
    const script = '(setsid sh -c "sleep 600 & sleep 600" &); sleep 0.2; exit 0';
    const ended = await (await kind.start({ ...makeCommand(t, script), marker })).exited;
    assert.equal(ended.exitCode, 0);
    assert.ok(ended.leftBehind >= 2, `${kind.kind}: ${ended.detail}`);
    assert.match(ended.detail, /left \d processes behind/);
    assert.deepEqual(findMarked(marker), []);
  }
});

test('a child that wiped its environment dies with the sandbox', async (t) => {
  if (lacksSandbox(t)) return;
  const tree = makeDirectory(t);
  const ended = await run(
    t,
    'env -i setsid sh -c "echo begun > begun; sleep 600" & while [ ! -e begun ]; do :; done',
    {
      tree,
    },
  );
  assert.equal(ended.leftBehind, 2);
});

test('a burst of output is bounded in what is kept, in what is handed on and in memory', async (t) => {
  for (const kind of [sandbox, none]) {
    const lines: string[] = [];
    // A first small one, so that what is made once is not measured.
    await kind.run(makeCommand(t, 'echo warm', { onLine: () => {} }));
    const before = process.memoryUsage().rss;
    let most = before;
    const ended = await kind.run(
      makeCommand(t, 'yes | head -c 300000000; head -c 100000000 /dev/zero >&2', {
        onLine: (_, line) => {
          lines.push(line);
          most = Math.max(most, process.memoryUsage().rss);
        },
      }),
    );
    most = Math.max(most, process.memoryUsage().rss);
    assert.equal(ended.exitCode, 0);
    assert.equal(ended.head.length + ended.tail.length + ended.cutBytes, 400_000_000);
    assert.ok(Buffer.byteLength(ended.head + ended.tail) <= 8_192);
    assert.ok(lines.every((line) => line.length < 8_300));
    assert.ok(lines.some((line) => /bytes left out/.test(line)));
    assert.ok(most - before < 32 * 1024 * 1024, `grew by ${(most - before) / 1024 / 1024} MB`);
  }
});

test('more processes than allowed end the command, which is named for it', async (t) => {
  for (const kind of [sandbox, none]) {
    // Not a bomb, for the sake of the machine: 200 sleepers and no more.
    const script = 'i=0; while [ $i -lt 200 ]; do sleep 600 & i=$((i+1)); done; wait';
    const ended = await kind.run(makeCommand(t, script, { limits: { processes: 40 } }));
    assert.equal(ended.end, 'too_many_processes');
    assert.match(ended.detail, /more than 40 processes/);
  }
});

test('a command that takes more memory than allowed is ended and named for it', async (t) => {
  for (const kind of [sandbox, none]) {
    const script =
      'node -e "const a = []; for (let i = 0; i < 200; i += 1) a.push(Buffer.alloc(5e6, 1)); setTimeout(() => {}, 6e5)"';
    const ended = await kind.run(makeCommand(t, script, { limits: { memoryMb: 200 } }));
    assert.equal(ended.end, 'out_of_memory');
    assert.match(ended.detail, /more than 200 MB/);
  }
});

test('files are bounded in size, also those in memory', async (t) => {
  const { output } = await run(t, 'head -c 20000000 /dev/zero > big; wc -c < big');
  assert.match(output, /8388608\n$/);
});

test('stopping lets a command end by itself, and ends it when it does not', async (t) => {
  for (const kind of [sandbox, none]) {
    const marker = `stopped-${process.pid}-${kind.kind}`;
    const begun = Promise.withResolvers<void>();
    const onLine = () => begun.resolve();
    const polite = await kind.start({
      ...makeCommand(t, `trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done`, { onLine }),
      marker,
    });
    await begun.promise;
    await polite.stop(30_000);
    const ended = await polite.exited;
    assert.deepEqual([ended.end, ended.exitCode], ['exited', 7], JSON.stringify(ended));
    const readied = Promise.withResolvers<void>();
    const deaf = await kind.start({
      ...makeCommand(t, `trap '' TERM; echo ready; while :; do sleep 0.05; done`, {
        onLine: () => readied.resolve(),
      }),
      marker,
    });
    await readied.promise;
    await deaf.stop(50);
    assert.equal((await deaf.exited).end, 'aborted');
    assert.deepEqual(findMarked(marker), []);
  }
});

test('an abort ends the command, and before its start keeps it from starting', async (t) => {
  for (const kind of [sandbox, none]) {
    const control = new AbortController();
    const ended = await kind.run(
      makeCommand(t, 'echo ready; sleep 600', { signal: control.signal, onLine: () => control.abort() }),
    );
    assert.equal(ended.end, 'aborted');
    const never = await kind.run(makeCommand(t, 'echo ran', { signal: AbortSignal.abort() }));
    assert.deepEqual([never.end, never.head], ['aborted', '']);
  }
});

test('a tree that does not exist is an outcome, not an error', async (t) => {
  for (const kind of [sandbox, none]) {
    const ended = await kind.run(makeCommand(t, 'true', { tree: join(makeDirectory(t), 'gone') }));
    assert.equal(ended.end, 'could_not_start');
    assert.match(ended.detail, /could not be started/);
  }
});

test('what a killed box left behind is found by its marker and ended, and nothing else', async (t) => {
  const prefix = `box-${process.pid}`;
  const start = (marker: string) => none.start({ ...makeCommand(t, 'sleep 600 & wait'), marker });
  const [left, other] = await Promise.all([start(`${prefix}.rel_1`), start(`other-${prefix}`)]);
  assert.ok((await endMarked(prefix)) >= 1);
  await left.exited;
  assert.deepEqual(findMarked(prefix), []);
  assert.notEqual(findMarked(`other-${prefix}`).length, 0);
  await other.stop(0);
  assert.throws(() => findMarked(''), TypeError);
});

test('what the host itself uses is never taken for what a command uses', async (t) => {
  // The first look may come while the sandbox is still being made; the machine has more than four processes.
  for (let round = 0; round < 10; round += 1) {
    const all = await Promise.all(
      [1, 2, 3, 4].map(() => sandbox.run(makeCommand(t, 'sleep 0.1', { limits: { processes: 4 } }))),
    );
    assert.deepEqual(new Set(all.map((ended) => ended.detail)), new Set(['exit 0']));
  }
});

test('many commands leave no descriptor open', async (t) => {
  const countDescriptors = () => readdirSync('/proc/self/fd').length;
  await sandbox.run(makeCommand(t, 'true'));
  const before = countDescriptors();
  for (let i = 0; i < 5; i += 1) {
    await sandbox.run(makeCommand(t, 'echo x'));
    await none.run(makeCommand(t, 'echo x'));
  }
  assert.ok(countDescriptors() <= before + 1, `${before} before, ${countDescriptors()} after`);
});
