import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { git } from '@dbox/agent-sdk';
import type { FakeFiles } from '@dbox/agent-sdk/testing';
import { createFakeRepository, makeCodePayload } from '@dbox/agent-sdk/testing';
import type { Attachment, TaskInput } from '@dbox/contracts';
import { createBaseTree } from '../../base-tree.ts';
import type { Engine, EngineFailure, Written } from '../engine.ts';
import { isFailure } from '../engine.ts';

/** What an engine is asked in a test. */
export interface EngineCase {
  readonly input: TaskInput;
  readonly attachment?: Attachment | null;
  readonly attempt?: number;
  /** Files of the commit the attempt starts from; an empty project where none are given. */
  readonly start?: FakeFiles;
  /** Files of main, where it is another commit than the start. */
  readonly main?: FakeFiles;
  readonly title?: string;
  readonly storyText?: string;
}

export interface EngineRun {
  readonly outcome: Written | EngineFailure;
  readonly tree: string;
  /** Path → text of all that lies in the tree afterwards. */
  readonly files: Readonly<Record<string, string>>;
  readonly basedOn: 'start' | 'main';
}

export interface EngineSuite {
  readonly engine: Engine;
  /** Must be written, in an empty project as well as beside a README. */
  readonly possible: EngineCase;
  /** Must fail for good. */
  readonly impossible: EngineCase;
}

/** Runs one case on a tree of its own, which is removed after the test. */
export async function runEngine(t: TestContext, engine: Engine, given: EngineCase): Promise<EngineRun> {
  const repository = await createFakeRepository();
  const tree = await mkdtemp(join(tmpdir(), 'dbox-engine-'));
  t.after(async () => {
    await repository.remove();
    await rm(tree, { recursive: true, force: true });
  });
  const startCommit = given.start === undefined ? null : await repository.commit({ files: given.start });
  const mainCommit = given.main === undefined ? startCommit : await repository.commit({ files: given.main });
  await cp(repository.gitDir, join(tree, '.git'), { recursive: true });
  await git(['config', 'core.bare', 'false'], { cwd: tree });
  if (startCommit !== null) await git(['checkout', '--quiet', '--detach', startCommit], { cwd: tree });

  const { signal } = new AbortController();
  const base = createBaseTree({ tree, startCommit, mainCommit, signal });
  const payload = makeCodePayload({
    input: given.input,
    attempt: given.attempt ?? 1,
    startCommit,
    mainCommit,
    storyText: given.storyText ?? 'Make something that people like. And more.',
  });
  const outcome = await engine.write({
    tree,
    base,
    payload: { ...payload, task: { ...payload.task, title: given.title ?? payload.task.title } },
    project: 'demo',
    createdAt: '2026-01-31T12:00:00.000Z',
    readAttachment: async () => given.attachment ?? null,
    log: () => undefined,
    signal,
  });
  return { outcome, tree, files: await readTree(tree), basedOn: base.current };
}

async function readTree(tree: string): Promise<Record<string, string>> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const files: Record<string, string> = {};
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const path = join(entry.parentPath, entry.name).slice(tree.length + 1);
    if (!path.startsWith('.git/')) files[path] = await readFile(join(tree, path), 'utf8');
  }
  return files;
}

export function assertWritten({ outcome }: EngineRun): void {
  assert.ok(!isFailure(outcome), JSON.stringify(outcome));
}

export function assertFailed({ outcome }: EngineRun, cause: EngineFailure['cause'], detail: RegExp): void {
  assert.ok(isFailure(outcome), JSON.stringify(outcome));
  assert.equal(outcome.cause, cause, outcome.detail);
  assert.match(outcome.detail, detail);
}

/** What every engine must hold. A new engine exists when it passes. */
export function testEngine({ engine, possible, impossible }: EngineSuite): void {
  test(`${engine.name}: writes into an empty project and says what it wrote`, async (t) => {
    const run = await runEngine(t, engine, possible);
    assertWritten(run);
    assert.ok(Object.keys(run.files).length > 0);
    assert.match((run.outcome as Written).summary, /\S/);
  });

  test(`${engine.name}: the same request gives the same bytes`, async (t) => {
    const first = await runEngine(t, engine, possible);
    const second = await runEngine(t, engine, possible);
    assert.deepEqual(second.files, first.files);
    assert.deepEqual(second.outcome, first.outcome);
  });

  test(`${engine.name}: leaves files of the project that are none of its business`, async (t) => {
    const run = await runEngine(t, engine, { ...possible, start: { LICENSE: 'mine' } });
    assertWritten(run);
    assert.equal(run.files.LICENSE, 'mine');
  });

  test(`${engine.name}: commits nothing and changes nothing in the repository itself`, async (t) => {
    const run = await runEngine(t, engine, { ...possible, start: { LICENSE: 'mine' } });
    assertWritten(run);
    const log = await git(['log', '--format=%s', '--all', 'HEAD'], { cwd: run.tree });
    assert.equal(log.stdout.trim(), 'a commit');
    assert.deepEqual(
      (await readdir(join(run.tree, '.git'))).filter((name) => /hook|attributes/.test(name)),
      [],
    );
  });

  test(`${engine.name}: what it can never do fails for good, with a reason, and writes nothing`, async (t) => {
    const run = await runEngine(t, engine, impossible);
    assertFailed(run, 'final', /\S/);
    assert.deepEqual(run.files, {});
  });
}
