import type { CodePayload, TaskInput, TaskSpec, TestPayload } from '@dbox/contracts';

/** A task spec with every default filled in. */
export function makeTaskSpec(parts: Partial<TaskSpec> = {}): TaskSpec {
  return {
    id: 'task-001',
    title: 'A task',
    owner: 'manager',
    priority: 'medium',
    description: '',
    inputs: [],
    outputs: [],
    acceptance: [],
    tests: [],
    dependsOn: [],
    constraints: { maxMinutes: 5, maxAttempts: 3, maxTokens: null, maxCostUsd: null, network: 'none' },
    artifacts: [],
    environment: 'dev',
    retires: [],
    specKit: null,
    ...parts,
  };
}

/** A code job in an empty project; its engine is that of its input. */
export function makeCodePayload(
  parts: Partial<CodePayload> & { readonly input?: TaskInput } = {},
): CodePayload {
  const { input, ...rest } = parts;
  return {
    kind: 'code',
    task: makeTaskSpec({ inputs: input === undefined ? [] : [input] }),
    storyText: 'Make something',
    attempt: 1,
    startCommit: null,
    mainCommit: null,
    engine: input?.type ?? 'template',
    checks: [],
    evidence: null,
    ...rest,
  };
}

export function makeTestPayload(parts: Partial<TestPayload> & { readonly commit: string }): TestPayload {
  return {
    kind: 'test',
    taskId: 'task-001',
    attempt: 1,
    purpose: 'attempt',
    baseCommit: null,
    tests: [],
    checks: [],
    artifacts: [],
    maxMinutes: 5,
    network: 'none',
    trusted: false,
    devUrl: null,
    ...parts,
  };
}
