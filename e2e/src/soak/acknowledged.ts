import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

/** How a story must end. */
export type Expected = 'delivered' | 'failed' | 'cancelled' | 'cancelled or delivered';

export interface AcknowledgedStory {
  readonly op: 'story';
  readonly key: string;
  readonly storyId: string;
  readonly project: string;
  /** In the order of their documents; each leaves the file `<id>.txt` in main. */
  readonly taskIds: readonly string[];
  readonly attempts: number;
  expected: Expected;
}

export type Acknowledged =
  | AcknowledgedStory
  | {
      readonly op: 'rollback' | 'cancel' | 'retry';
      readonly subject: string;
      /** `lost`: the answer did not come, so it may have happened or not. */
      readonly answer: 'accepted' | 'refused' | 'lost';
      readonly detail: string;
    };

/** What the box has promised, written down outside of it, before anything else is asked. */
export class AcknowledgedLedger {
  readonly stories: AcknowledgedStory[] = [];
  readonly counts = { story: 0, rollback: 0, cancel: 0, retry: 0, refused: 0, lost: 0, repeated: 0 };
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  write(entry: Acknowledged): void {
    writeSync(this.#file, `${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`);
    fsyncSync(this.#file);
    if (entry.op === 'story') this.stories.push(entry);
    if (entry.op === 'story' || entry.answer === 'accepted') this.counts[entry.op] += 1;
    else this.counts[entry.answer] += 1;
  }

  close(): void {
    closeSync(this.#file);
  }
}
