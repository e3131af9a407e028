/**
 * A job failed for a reason its handler understands. `commit`: rework may mend it, an attempt is
 * used. `host`: repeated as it is. `final`: no try can mend it.
 */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
  readonly blame: 'commit' | 'host' | 'final';

  constructor(blame: 'commit' | 'host' | 'final', detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.blame = blame;
  }
}

/** The lease is gone, the job was cancelled or the agent must stop. Never sent anywhere. */
export class LeaseGone extends Error {
  override readonly name = 'LeaseGone';
}
