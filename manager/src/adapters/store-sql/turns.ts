/** A batch is cut here, so that reads and the sockets get a turn under any load: about 10 ms of work. */
const MAX_BATCH = 256;

/**
 * Who may use the one connection, and when. Writes that arrive in the same tick of the event loop go
 * together as one batch; reads go between batches. The two alternate, so neither waits for more than
 * one round of the other.
 */
export class Turns<W> {
  readonly #runBatch: (batch: readonly W[]) => Promise<void>;
  #reads: (() => Promise<void>)[] = [];
  #writes: W[] = [];
  #running: Promise<void> | null = null;

  /** `runBatch` must not reject: it owes each of its writes an answer. */
  constructor(runBatch: (batch: readonly W[]) => Promise<void>) {
    this.#runBatch = runBatch;
  }

  /** `work` must not reject. */
  read(work: () => Promise<void>): void {
    this.#reads.push(work);
    this.#start();
  }

  write(item: W): void {
    this.#writes.push(item);
    this.#start();
  }

  /** Resolves once nothing waits and nothing runs. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      if (this.#reads.length > 0 || this.#writes.length > 0) this.#start();
    });
  }

  async #run(): Promise<void> {
    while (this.#reads.length > 0 || this.#writes.length > 0) {
      await this.#runReads();
      if (this.#writes.length === 0) continue;
      // The end of this tick: all that the sockets brought in it has arrived.
      await new Promise(setImmediate);
      await this.#runBatch(this.#writes.splice(0, MAX_BATCH));
    }
  }

  async #runReads(): Promise<void> {
    const reads = this.#reads;
    this.#reads = [];
    // Nothing is written meanwhile, so they may share the way to a database that lies across a network.
    await Promise.all(reads.map((read) => read()));
  }
}
