import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../clock.ts';
import { readConfig } from '../config.ts';
import type { ExitCode } from '../exit-codes.ts';
import { EXIT } from '../exit-codes.ts';
import { runCli } from './program.ts';

async function run(...args: string[]): Promise<{ exitCode: ExitCode; stdout: string; stderr: string }> {
  const heard = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      heard[name] += text;
    },
    isTerminal: false,
    columns: null,
  });
  const exitCode = await runCli({
    args,
    readConfig: () => readConfig({}, { cwd: '/', checkoutDir: '/nowhere' }),
    clock: systemClock,
    stdout: sink('stdout'),
    stderr: sink('stderr'),
  });
  return { exitCode, ...heard };
}

const COMMANDS = [
  ...['run', 'up', 'down', 'doctor', 'story', 'status', 'show', 'logs', 'diff', 'tasks', 'releases'],
  ...['incidents', 'rollback', 'retry', 'cancel', 'agents', 'events', 'events verify', 'spec validate'],
  ...['project add', 'project list', 'project remove', 'clone', 'version'],
  ...['env set', 'env list', 'env unset'],
];

test('every command has help with an example, by -h after it and by help before it', async () => {
  for (const command of COMMANDS) {
    const { exitCode, stdout } = await run(...command.split(' '), '-h');
    assert.equal(exitCode, EXIT.ok, command);
    assert.ok(stdout.includes(`Examples:\n  ./dbox ${command}`), command);
  }
  assert.match((await run('help', 'clone')).stdout, /^Usage: dbox clone/);
});

test('the help names every command', async () => {
  const { stdout } = await run('--help');
  for (const command of COMMANDS) {
    assert.match(stdout, new RegExp(`^  ${command.split(' ')[0]}\\b`, 'm'), command);
  }
});

test('global flags are known before and after the command', async () => {
  for (const args of [
    ['--json', 'status'],
    ['status', '--json'],
  ]) {
    const { exitCode, stdout } = await run(...args);
    assert.equal(exitCode, EXIT.unreachable);
    assert.ok('error' in (JSON.parse(stdout) as object));
  }
});

test('a group without its command is wrong usage and shows what there is', async () => {
  const { exitCode, stdout } = await run('project');
  assert.equal(exitCode, EXIT.usage);
  assert.match(stdout, /remove <name>/);
});

test('text and spec files together are refused', async () => {
  const { exitCode, stderr } = await run('story', 'a blog', '-f', 'a.yaml');
  assert.equal(exitCode, EXIT.usage);
  assert.match(stderr, /not both/);
});

test('numbers out of range are refused with what to give', async () => {
  for (const args of [
    ['tasks', '--limit', '0'],
    ['events', '--after', '-1'],
    ['diff', 'x', '--attempt', 'two'],
  ]) {
    const { exitCode, stderr } = await run(...args);
    assert.equal(exitCode, EXIT.usage, args.join(' '));
    assert.match(stderr, /is invalid\. Give a/);
  }
});

test('up and down are for the box of this machine', async () => {
  for (const command of ['up', 'down']) {
    assert.equal((await run(command, '--host', 'http://example.org')).exitCode, EXIT.usage);
  }
});
