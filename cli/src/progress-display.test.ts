import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from './clock.ts';
import { createOutput } from './output.ts';
import { openProgressDisplay, progressLines } from './progress-display.ts';
import type { StoryProgress, TaskProgress } from './story-progress.ts';

const plain = { err: (_style: unknown, text: string) => text };
const stopped: Clock = {
  now: () => Date.parse('2026-01-02T03:04:05.000Z'),
  sleep: (_ms, signal) => new Promise((resolve) => signal?.addEventListener('abort', () => resolve())),
};

function task(over: Partial<TaskProgress>): TaskProgress {
  return {
    id: 'task-001',
    title: 'Create the blog',
    status: 'in_progress',
    attemptCount: 1,
    engine: null,
    action: null,
    startedAtMs: 1000,
    endedAtMs: null,
    ...over,
  };
}

function display(options: { isTerminal: boolean; quiet?: boolean }): {
  text: string[];
  open: ReturnType<typeof openProgressDisplay>;
} {
  const text: string[] = [];
  const sink = { write: (piece: string) => text.push(piece), isTerminal: options.isTerminal, columns: 80 };
  const output = createOutput({
    json: false,
    quiet: options.quiet ?? false,
    verbose: false,
    colour: false,
    dumbTerminal: false,
    stdout: sink,
    stderr: sink,
  });
  return { text, open: openProgressDisplay(output, stopped) };
}

const moving: StoryProgress = { storyStatus: 'running', tasks: [task({})] };

test('a line names the task, its phase, what goes on and how long', () => {
  const progress = { storyStatus: 'running', tasks: [task({ action: 'writing posts' })] } as const;
  assert.deepEqual(progressLines(progress, 3500, 80, plain), ['● task-001  coding · writing posts · 2.5 s']);
});

test('no line is wider than the window', () => {
  const progress = {
    storyStatus: 'running',
    tasks: [task({ title: 'x'.repeat(200), id: 'i'.repeat(80) })],
  } as const;
  for (const line of progressLines(progress, 3500, 60, plain)) {
    assert.ok([...line].length <= 60, line);
    assert.match(line, /coding · x+… · 2\.5 s$/, 'the words give way, the time stays');
  }
});

test('of many tasks the moving ones are drawn and the rest is counted', () => {
  const tasks = Array.from({ length: 40 }, (_, i) => task({ id: `t-${i}`, endedAtMs: i < 20 ? 2000 : null }));
  const lines = progressLines({ storyStatus: 'running', tasks }, 3500, 80, plain);
  assert.equal(lines.length, 12);
  assert.match(lines[0] ?? '', /t-20/);
  assert.match(lines[11] ?? '', /29 more of 40 tasks/);
});

test('in a pipe each change is a line with its time and nothing is drawn over', () => {
  const { text, open } = display({ isTerminal: false });
  open.show({ progress: moving, changes: ['task-001 coding'] });
  open.close();
  assert.equal(text.length, 1);
  assert.match(text[0] ?? '', /^\d\d:\d\d:05 task-001 coding\n$/);
});

test('on a terminal the picture is drawn over, and a line that stays goes above it', () => {
  const { text, open } = display({ isTerminal: true });
  open.show({ progress: moving, changes: [] });
  open.show({ progress: moving, changes: [] });
  open.say('the box is back');
  open.close();
  assert.ok(text[1]?.startsWith('\r\u001b[1A'), 'the second picture goes up over the first');
  const said = text.indexOf('the box is back\n');
  assert.equal(text[said - 1], '\r\u001b[1A\u001b[0J');
});

test('with -q nothing is shown', () => {
  const { text, open } = display({ isTerminal: true, quiet: true });
  open.show({ progress: moving, changes: ['x'] });
  open.say('y');
  open.close();
  assert.deepEqual(text, []);
});
