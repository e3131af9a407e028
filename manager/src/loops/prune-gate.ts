/**
 * Keeps pruning and backups apart: what a backup is going to read is not thrown away meanwhile. A backup
 * waits for the pruning under way; pruning does not wait for a backup, it looks again later.
 */
export class PruneGate {
  #pruning: Promise<unknown> = Promise.resolve();
  #holds = 0;
  #skipped = false;
  readonly #onOpen: () => void;

  /** `onOpen` is called when the last hold ends and a pruning was left out for it. */
  constructor(onOpen: () => void) {
    this.#onOpen = onOpen;
  }

  async prune(work: () => Promise<void>): Promise<void> {
    if (this.#holds > 0) {
      this.#skipped = true;
      return;
    }
    const pruning = work();
    this.#pruning = pruning.catch(() => undefined);
    await pruning;
  }

  /** Resolves once nothing is pruned any more; until the returned function is called, nothing is. */
  async hold(): Promise<() => void> {
    this.#holds += 1;
    await this.#pruning;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds -= 1;
      if (this.#holds > 0 || !this.#skipped) return;
      this.#skipped = false;
      this.#onOpen();
    };
  }
}
