import type { Release, StatusReport, StoryReport, Task, TaskDetail } from '@dbox/contracts';

export const STORY_ID = 'st_0123456789';
export const COMMIT = 'c'.repeat(40);
const AT = '2026-01-02T03:04:05.678Z';

export function storyReport(over: {
  readonly status?: StoryReport['story']['status'];
  readonly task?: Partial<StoryReport['tasks'][number]>;
  readonly url?: string | null;
  readonly reason?: string | null;
}): StoryReport {
  return {
    story: {
      id: STORY_ID,
      status: over.status ?? 'running',
      text: 'Develop and run a blog site',
      reason: over.reason ?? null,
    },
    project: { name: 'blog' },
    url: over.url ?? null,
    tasks: [
      {
        id: 'task-001',
        title: 'Create the blog',
        status: 'in_progress',
        reason: null,
        attemptCount: 1,
        commit: null,
        engine: 'template',
        ...over.task,
      },
    ],
    elapsedMs: 2345,
  };
}

export const DELIVERED = storyReport({
  status: 'delivered',
  url: 'http://127.0.0.1:8080',
  task: { status: 'deployed', commit: COMMIT },
});

export const STATUS: StatusReport = {
  box: {
    version: '0.1.0',
    mode: 'process',
    url: 'http://127.0.0.1:7700',
    pid: 4242,
    workspace: '/srv/box',
    warnings: ['there is no sandbox'],
  },
  projects: [
    {
      name: 'blog',
      environments: [
        {
          name: 'dev',
          url: 'http://127.0.0.1:8080',
          health: 'healthy',
          release: { id: 'rel_0123456789', commit: COMMIT, status: 'live' },
          engine: 'template',
          usage: null,
          incident: { id: 'inc_0123456789', status: 'watching', detail: '30 of 60 requests failed' },
        },
      ],
    },
  ],
  stories: [{ id: STORY_ID, status: 'delivered', project: 'blog', text: 'A blog', reason: null }],
  agents: [{ id: 'agt_0123456789', kind: 'coding', name: 'coding-1', state: 'online', lastSeenAt: AT }],
};

export const TASK: Task = {
  id: 'task-001',
  storyId: STORY_ID,
  project: 'blog',
  title: 'Create the blog',
  status: 'deployed',
  reason: null,
  resumesTo: null,
  dependsOn: [],
  attemptCount: 1,
  commit: COMMIT,
  engine: 'template',
  createdAt: AT,
  updatedAt: AT,
};

export const TASK_DETAIL: TaskDetail = {
  ...TASK,
  spec: {
    id: 'task-001',
    title: 'Create the blog',
    owner: 'manager',
    priority: 'medium',
    description: '',
    inputs: [],
    outputs: [],
    acceptance: [],
    tests: [{ run: './run-tests.sh' }],
    dependsOn: [],
    constraints: { maxMinutes: 10, maxAttempts: 3, maxTokens: null, maxCostUsd: null, network: 'none' },
    artifacts: [],
    environment: 'dev',
    retires: [],
    specKit: null,
  },
  attempts: [
    {
      n: 1,
      baseCommit: null,
      commit: COMMIT,
      engine: 'template',
      verdict: {
        outcome: 'failed',
        cause: null,
        summary: 'a test failed',
        checks: [{ id: 'chk_0123456789ab', outcome: 'passed', detail: 'answered 200', latencyMs: 12 }],
        tests: [
          {
            run: './run-tests.sh',
            outcome: 'failed',
            exitCode: 1,
            detail: 'exit code 1',
            cause: null,
            counts: { runner: 'node', passed: 3, failed: 1, skipped: 0 },
            durationMs: 800,
            outputHead: 'not ok 4 \u001b]0;owned\u0007the feed',
            outputTail: '',
            outputCutBytes: 0,
          },
        ],
        changedTestFiles: [],
      },
      failure: null,
      startedAt: AT,
      finishedAt: AT,
    },
  ],
  releaseIds: ['rel_0123456789'],
};

export function release(over: Partial<Release>): Release {
  return {
    id: 'rel_0123456789',
    project: 'blog',
    environment: 'dev',
    commit: COMMIT,
    taskId: 'task-001',
    status: 'live',
    settingsVersion: 0,
    image: null,
    runPlan: { kind: 'static', build: null, root: '.', from: 'static files' },
    checks: [],
    reason: null,
    createdAt: AT,
    liveAt: AT,
    ...over,
  };
}
