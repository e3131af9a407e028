/** The words of every lifecycle. What may follow what is a table in `manager/src/domain`. */
export const STORY_STATUSES = [
  'received',
  'planning',
  'running',
  'delivered',
  'blocked',
  'failed',
  'cancelled',
] as const;
export const TASK_STATUSES = [
  'created',
  'assigned',
  'in_progress',
  'complete',
  'verified',
  'deployed',
  'blocked',
  'failed',
  'cancelled',
  'rolled_back',
] as const;
export const JOB_STATUSES = ['queued', 'leased', 'succeeded', 'failed', 'cancelled'] as const;
export const RELEASE_STATUSES = [
  'queued',
  'building',
  'starting',
  'smoking',
  'baking',
  'live',
  'superseded',
  'refused',
  'rolled_back',
  'stopped',
] as const;
/** Why a release is made: a task's candidate, a rollback to it, or settings that changed under the same commit. */
export const RELEASE_TRIGGERS = ['task', 'rollback', 'settings'] as const;
export const INCIDENT_STATUSES = ['open', 'acting', 'watching', 'resolved', 'escalated', 'muted'] as const;
export const JOB_KINDS = ['plan', 'code', 'test', 'deploy', 'check'] as const;
export const AGENT_KINDS = ['coding', 'testing', 'deployment', 'monitoring'] as const;
export const OUTCOMES = ['passed', 'failed', 'could_not_run'] as const;
export const HEALTHS = ['healthy', 'unhealthy', 'unknown'] as const;
export const ENGINES = ['template', 'scripted'] as const;

export type StoryStatus = (typeof STORY_STATUSES)[number];
export type TaskStatus = (typeof TASK_STATUSES)[number];
export type JobStatus = (typeof JOB_STATUSES)[number];
export type ReleaseStatus = (typeof RELEASE_STATUSES)[number];
export type ReleaseTrigger = (typeof RELEASE_TRIGGERS)[number];
export type IncidentStatus = (typeof INCIDENT_STATUSES)[number];
export type JobKind = (typeof JOB_KINDS)[number];
export type AgentKind = (typeof AGENT_KINDS)[number];
export type Outcome = (typeof OUTCOMES)[number];
export type Health = (typeof HEALTHS)[number];
export type EngineName = (typeof ENGINES)[number];

/** Which agent kind may lease which jobs. */
export const KINDS_OF_AGENT: Record<AgentKind, readonly JobKind[]> = {
  coding: ['plan', 'code'],
  testing: ['test'],
  deployment: ['deploy'],
  monitoring: ['check'],
};

/** A story in one of these will not move again without a person. */
export const SETTLED_STORY_STATUSES: readonly StoryStatus[] = ['delivered', 'blocked', 'failed', 'cancelled'];
/** A task in one of these holds its id but will not move again by itself. */
export const SETTLED_TASK_STATUSES: readonly TaskStatus[] = [
  'deployed',
  'failed',
  'cancelled',
  'rolled_back',
];
