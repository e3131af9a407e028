import type { DeployPayload, TaskSpec, TestPayload } from '@dbox/contracts';
import { NO_SETTINGS } from '../../domain/settings-progress.ts';
import { isoOf } from '../clock.ts';
import type {
  AgentRecord,
  ArtifactRecord,
  CheckRecord,
  EnvironmentRecord,
  IncidentRecord,
  JobRecord,
  ProjectRecord,
  ReleaseRecord,
  SettingsRecord,
  StoryRecord,
  TaskRecord,
  TokenRecord,
} from '../records.ts';

/** Whole, valid records for tests: each test names only what it is about. */
const AT = isoOf(Date.UTC(2026, 0, 1));
const COMMIT = 'a'.repeat(40);

export function storyRecord(changes: Partial<StoryRecord> = {}): StoryRecord {
  return {
    id: 'st_0000000001',
    project: 'blog',
    text: 'Develop and run a blog site',
    status: 'received',
    reason: null,
    taskIds: [],
    createdAt: AT,
    updatedAt: AT,
    planFrom: 'text',
    version: 1,
    ...changes,
  };
}

export function taskRecord(changes: Partial<TaskRecord> = {}): TaskRecord {
  const id = changes.id ?? 'task-001';
  return {
    id,
    storyId: 'st_0000000001',
    project: 'blog',
    title: 'Create blog website',
    status: 'created',
    reason: null,
    resumesTo: null,
    dependsOn: [],
    attemptCount: 0,
    commit: null,
    engine: null,
    createdAt: AT,
    updatedAt: AT,
    spec: taskSpec(id),
    storyText: 'Develop and run a blog site',
    attempts: [],
    releaseIds: [],
    attemptLimit: 3,
    startCommit: null,
    evidenceReason: null,
    integration: 'none',
    integrationOrder: null,
    candidateCommit: null,
    hostRepeats: 0,
    version: 1,
    ...changes,
  };
}

function taskSpec(id: string): TaskSpec {
  return {
    id,
    title: 'Create blog website',
    owner: 'manager',
    priority: 'high',
    description: '',
    inputs: [{ type: 'template', name: 'blog', values: {} }],
    outputs: [{ path: `/workspace/tasks/${id}/src` }],
    acceptance: [],
    tests: [{ run: 'npm test' }],
    dependsOn: [],
    constraints: { maxMinutes: 10, maxAttempts: 3, maxTokens: null, maxCostUsd: null, network: 'none' },
    artifacts: [],
    environment: 'dev',
    retires: [],
    specKit: null,
  };
}

export function projectRecord(changes: Partial<ProjectRecord> = {}): ProjectRecord {
  return {
    name: 'blog',
    createdAt: AT,
    mainCommit: null,
    origin: 'story',
    work: null,
    removedAt: null,
    version: 1,
    ...changes,
  };
}

export function environmentRecord(changes: Partial<EnvironmentRecord> = {}): EnvironmentRecord {
  return {
    project: 'blog',
    name: 'dev',
    port: 8080,
    liveReleaseId: null,
    routedReleaseId: null,
    health: 'unknown',
    settings: NO_SETTINGS,
    version: 1,
    ...changes,
  };
}

export function settingsRecord(changes: Partial<SettingsRecord> = {}): SettingsRecord {
  return {
    project: 'blog',
    environment: 'dev',
    number: 1,
    createdAt: AT,
    settings: [{ key: 'GREETING', sealed: 'c2VhbGVk', changedAt: AT }],
    version: 1,
    ...changes,
  };
}

export function releaseRecord(changes: Partial<ReleaseRecord> = {}): ReleaseRecord {
  return {
    id: 'rel_0000000001',
    project: 'blog',
    environment: 'dev',
    commit: COMMIT,
    taskId: null,
    status: 'queued',
    runPlan: { kind: 'nothing' },
    settingsVersion: 0,
    image: null,
    checks: [],
    reason: null,
    createdAt: AT,
    liveAt: null,
    trusted: false,
    engine: null,
    generation: 1,
    target: null,
    routeRevision: null,
    liveOrder: null,
    mainAfter: COMMIT,
    checkIds: [],
    taskIds: [],
    trigger: 'task',
    version: 1,
    ...changes,
  };
}

export function checkRecord(changes: Partial<CheckRecord> = {}): CheckRecord {
  return {
    id: 'chk_000000000001',
    project: 'blog',
    taskId: 'task-001',
    criterion: { kind: 'command', run: 'true', exitCode: 0 },
    status: 'proposed',
    version: 1,
    ...changes,
  };
}

export function jobRecord(changes: Partial<JobRecord> = {}): JobRecord {
  const payload = changes.payload ?? testPayload();
  return {
    id: 'job_0000000001',
    kind: payload.kind,
    project: 'blog',
    taskId: 'task-001',
    releaseId: null,
    status: 'queued',
    fence: 0,
    agentId: null,
    leaseExpiresAt: changes.leaseExpiresAtMs == null ? null : isoOf(changes.leaseExpiresAtMs),
    createdAt: AT,
    finishedAt: null,
    payload,
    result: null,
    priority: 1,
    leaseExpiresAtMs: null,
    confirmedCommit: null,
    version: 1,
    ...changes,
  };
}

function testPayload(): TestPayload {
  return {
    kind: 'test',
    taskId: 'task-001',
    attempt: 1,
    purpose: 'attempt',
    commit: COMMIT,
    baseCommit: null,
    tests: [{ run: 'npm test' }],
    checks: [],
    artifacts: [],
    maxMinutes: 10,
    network: 'none',
    trusted: false,
    devUrl: null,
  };
}

export function deployPayload(changes: Partial<DeployPayload> = {}): DeployPayload {
  return {
    kind: 'deploy',
    releaseId: 'rel_0000000001',
    project: 'blog',
    environment: 'dev',
    commit: COMMIT,
    runPlan: { kind: 'nothing' },
    settingsVersion: 0,
    image: null,
    checks: [],
    trigger: 'task',
    trusted: false,
    ...changes,
  };
}

export function agentRecord(changes: Partial<AgentRecord> = {}): AgentRecord {
  const { id = 'agt_0000000001', name = 'coding-1' } = changes;
  return {
    id,
    name,
    agent: {
      id,
      kind: 'coding',
      name,
      version: '1',
      capacity: 1,
      labels: [],
      warnings: [],
      registeredAt: AT,
      lastSeenAt: AT,
    },
    version: 1,
    ...changes,
  };
}

export function incidentRecord(changes: Partial<IncidentRecord> = {}): IncidentRecord {
  return {
    id: 'inc_0000000001',
    project: 'blog',
    environment: 'dev',
    releaseId: 'rel_0000000001',
    fingerprint: 'process',
    status: 'open',
    detail: 'the process ended',
    actions: [],
    openedAt: AT,
    resolvedAt: null,
    version: 1,
    ...changes,
  };
}

export function artifactRecord(changes: Partial<ArtifactRecord> = {}): ArtifactRecord {
  return {
    id: 'art_0000000001',
    jobId: 'job_0000000001',
    taskId: 'task-001',
    name: 'report.txt',
    sha256: '0'.repeat(64),
    sizeBytes: 1,
    mediaType: 'text/plain',
    createdAt: AT,
    project: 'blog',
    version: 1,
    ...changes,
  };
}

export function tokenRecord(changes: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id: 'tok_0000000001',
    hash: 'h1',
    role: 'admin',
    createdAt: AT,
    revokedAt: null,
    version: 1,
    ...changes,
  };
}
