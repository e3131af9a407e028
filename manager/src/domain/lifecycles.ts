import type { IncidentStatus, JobStatus, ReleaseStatus, StoryStatus, TaskStatus } from '@dbox/contracts';

/**
 * Which status may follow which, and what causes it. Nothing else exists: `moveX` functions are the
 * only writers of a status, and they look here. `docs/state-machines.md` is drawn from these tables.
 */
type Transitions<S extends string> = { readonly [From in S]: { readonly [To in S]?: string } };

export const STORY_TRANSITIONS: Transitions<StoryStatus> = {
  received: { planning: 'the planner starts', cancelled: 'a person cancels' },
  planning: {
    running: 'the plan is valid',
    blocked: 'the planner has a question',
    failed: 'no valid plan',
    cancelled: 'a person cancels',
  },
  running: {
    delivered: 'all its tasks have landed',
    blocked: 'nothing moves and a task waits for a person',
    failed: 'nothing moves and a task has failed',
    cancelled: 'its tasks were cancelled',
  },
  delivered: { running: 'a repair starts, or a person retries a task that was rolled back' },
  blocked: {
    running: 'a person retries',
    received: 'a person retries the planning',
    cancelled: 'a person cancels',
  },
  failed: {
    running: 'a person retries',
    received: 'a person retries the planning',
    cancelled: 'a person cancels',
  },
  cancelled: { running: 'a repair starts of what it had delivered, or a person retries it' },
};

export const TASK_TRANSITIONS: Transitions<TaskStatus> = {
  created: {
    assigned: 'its dependencies are in main',
    blocked: 'a dependency failed, or waits for a person',
    cancelled: 'a person cancels',
  },
  assigned: {
    in_progress: 'a coder leases the job',
    failed: 'no attempt is left',
    cancelled: 'a person cancels',
  },
  in_progress: {
    assigned: 'the lease is lost or the engine failed',
    complete: 'the coder is done',
    blocked: 'the host kept the coder from working',
    failed: 'no attempt is left',
    cancelled: 'a person cancels',
  },
  complete: {
    verified: 'the verdict is passed',
    assigned: 'rework: the verdict or the smoke test failed',
    blocked: 'the host kept the tests from running',
    failed: 'no attempt is left',
    cancelled: 'a person cancels',
  },
  verified: {
    deployed: 'its release took the traffic',
    assigned: 'rework: conflict, failed re-test or failed smoke test',
    blocked: 'the host kept the release from starting',
    failed: 'no attempt is left',
    cancelled: 'a person cancels',
    rolled_back: 'an earlier release took the traffic back, and main no longer holds it',
  },
  deployed: {
    rolled_back: 'an earlier release took the traffic back',
    assigned: 'a repair of its release starts',
  },
  blocked: {
    created: 'a person retries',
    assigned: 'a person retries',
    complete: 'a person retries',
    verified: 'a person retries',
    cancelled: 'a person cancels',
  },
  failed: { created: 'a person retries', assigned: 'a person retries', cancelled: 'a person cancels' },
  cancelled: {},
  rolled_back: { assigned: 'a person retries', deployed: 'its release took the traffic again' },
};

export const JOB_TRANSITIONS: Transitions<JobStatus> = {
  queued: { leased: 'an agent takes it', cancelled: 'the work was withdrawn' },
  leased: {
    queued: 'the lease expired',
    succeeded: 'a result under the present fence',
    failed: 'a result under the present fence',
    cancelled: 'the work was withdrawn',
  },
  succeeded: {},
  failed: {},
  cancelled: {},
};

export const RELEASE_TRANSITIONS: Transitions<ReleaseStatus> = {
  queued: {
    building: 'the deployment agent builds',
    starting: 'it is built already',
    smoking: 'it runs already',
    refused: 'it could not be built',
    stopped: 'the work was withdrawn',
  },
  building: {
    queued: 'the lease is lost',
    starting: 'built',
    refused: 'it could not be built',
    stopped: 'the work was withdrawn',
  },
  starting: {
    queued: 'the lease is lost',
    smoking: 'it answers',
    refused: 'it never answered',
    stopped: 'the work was withdrawn',
  },
  smoking: {
    queued: 'the lease is lost',
    baking: 'the smoke test passed; the gateway is asked to switch',
    refused: 'the smoke test failed',
    stopped: 'the work was withdrawn',
  },
  baking: { live: 'the gateway acknowledged the switch' },
  live: {
    superseded: 'a newer release took the traffic',
    rolled_back: 'an earlier release took the traffic back',
    stopped: 'the project was removed',
  },
  superseded: {
    queued: 'a rollback chose it',
    baking: 'visitors fail at its successor; it still runs and gets the traffic back',
    stopped: 'it is no longer kept',
  },
  refused: { queued: 'a person chose it again', stopped: 'it is no longer kept' },
  rolled_back: { queued: 'a person chose it again', stopped: 'it is no longer kept' },
  stopped: {},
};

export const INCIDENT_TRANSITIONS: Transitions<IncidentStatus> = {
  open: {
    acting: 'the ladder has a step',
    escalated: 'the ladder has no step left',
    resolved: 'it healed',
    muted: 'a person mutes',
  },
  acting: {
    watching: 'the step was taken',
    escalated: 'the step failed and none is left',
    resolved: 'it healed',
    muted: 'a person mutes',
  },
  watching: {
    acting: 'still failing: the next step',
    escalated: 'still failing and no step is left',
    resolved: 'healthy again',
    muted: 'a person mutes',
  },
  resolved: {},
  escalated: { resolved: 'healthy again', muted: 'a person mutes' },
  muted: { resolved: 'healthy again' },
};

/** A bug, or a call that came too late: the caller of the use case is told which two states clash. */
export class IllegalTransitionError extends Error {
  override readonly name = 'IllegalTransitionError';
  readonly from: string;
  readonly to: string;
  constructor(noun: string, id: string, from: string, to: string) {
    super(`${noun} ${id} is ${from} and cannot become ${to}`);
    this.from = from;
    this.to = to;
  }
}

function mover<S extends string>(noun: string, table: Transitions<S>) {
  return <R extends { readonly id: string; readonly status: S }>(record: R, to: S): R => {
    if (table[record.status][to] === undefined) {
      throw new IllegalTransitionError(noun, record.id, record.status, to);
    }
    return { ...record, status: to };
  };
}

export const moveStory = mover('story', STORY_TRANSITIONS);
export const moveTask = mover('task', TASK_TRANSITIONS);
export const moveJob = mover('job', JOB_TRANSITIONS);
export const moveRelease = mover('release', RELEASE_TRANSITIONS);
export const moveIncident = mover('incident', INCIDENT_TRANSITIONS);
