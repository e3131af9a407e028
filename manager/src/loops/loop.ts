import type { Clock } from '../ports/clock.ts';

/**
 * Calls `tick` when woken and at least every `intervalMs`, never twice at once. `start` and `stop`
 * may be called twice; `stop` waits for the tick under way. A tick that throws is logged and tried
 * again at the next turn.
 */
export class Loop {
  private readonly options: {
    readonly tick: () => Promise<unknown>;
    readonly intervalMs: number;
    readonly clock: Clock;
    readonly onError: (error: unknown) => void;
  };
  private running: Promise<void> | null = null;
  private again = false;
  private stopped = true;
  private cancelTimer: () => void = () => {};

  constructor(options: Loop['options']) {
    this.options = options;
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.wake();
  }

  /** Something may be to do. */
  wake(): void {
    if (this.stopped) return;
    if (this.running) {
      this.again = true;
      return;
    }
    this.cancelTimer();
    this.running = this.run().finally(() => {
      this.running = null;
      if (this.stopped) return;
      if (this.again) this.wake();
      else this.cancelTimer = this.options.clock.after(this.options.intervalMs, () => this.wake());
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelTimer();
    await this.running;
  }

  private async run(): Promise<void> {
    this.again = false;
    try {
      await this.options.tick();
    } catch (error) {
      this.options.onError(error);
    }
  }
}
