import { open, readFile, rename } from 'node:fs/promises';
import { GENESIS_HASH } from '@dbox/contracts';
import type { Clock } from '../../ports/clock.ts';
import type { LedgerHead } from './session.ts';

/** Often enough that little of the ledger's end is without a witness, seldom enough to cost nothing beside the commits. */
const WRITE_INTERVAL_MS = 500;

export const EMPTY_HEAD: LedgerHead = { seq: 0, hash: GENESIS_HASH };

/**
 * `ledger.head`: the newest event's number and hash outside of the database, so that a ledger cut at
 * its end is noticed. Written after commits, so it may lag behind the database but never leads it.
 */
export class LedgerHeadFile {
  readonly #path: string;
  readonly #clock: Clock;
  #wanted: LedgerHead;
  #written: LedgerHead;
  #writing: Promise<void> | null = null;
  #cancelTimer: (() => void) | null = null;
  /** It disagrees with the ledger: evidence, which nothing may overwrite. */
  readonly #frozen: boolean;

  private constructor(o: { path: string; clock: Clock; head: LedgerHead; frozen: boolean }) {
    this.#path = o.path;
    this.#clock = o.clock;
    this.#wanted = o.head;
    this.#written = o.head;
    this.#frozen = o.frozen;
  }

  /**
   * Compares an existing file with the ledger. A file that disagrees is left as it is, for
   * `verifyLedger` to report; deleting it while the box is down accepts the ledger as it stands.
   */
  static async open(o: {
    path: string;
    clock: Clock;
    head: LedgerHead;
    hashOf: (seq: number) => Promise<string | null>;
  }): Promise<LedgerHeadFile> {
    const found = await readLedgerHead(o.path);
    if (found.kind === 'missing') {
      // A disk too full for this file is no reason not to start; the next commit tries again.
      await replaceFile(o.path, o.head).catch(() => undefined);
      return new LedgerHeadFile({ ...o, frozen: false });
    }
    const agrees =
      found.kind === 'head' &&
      found.head.hash === (found.head.seq === 0 ? GENESIS_HASH : await o.hashOf(found.head.seq));
    const file = new LedgerHeadFile({ ...o, frozen: !agrees });
    if (agrees && found.head.seq !== o.head.seq) {
      file.#written = found.head;
      file.#schedule();
    }
    return file;
  }

  /** The ledger has come this far, durably. */
  advance(head: LedgerHead): void {
    this.#wanted = head;
    this.#schedule();
  }

  async close(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    await this.#writing;
    await this.#write();
  }

  #schedule(): void {
    if (this.#frozen || this.#cancelTimer !== null || this.#writing !== null) return;
    if (this.#wanted.seq === this.#written.seq) return;
    this.#cancelTimer = this.#clock.after(WRITE_INTERVAL_MS, () => {
      this.#cancelTimer = null;
      this.#writing = this.#write().finally(() => {
        this.#writing = null;
        this.#schedule();
      });
    });
  }

  async #write(): Promise<void> {
    const head = this.#wanted;
    if (this.#frozen || head.seq === this.#written.seq) return;
    try {
      await replaceFile(this.#path, head);
      this.#written = head;
    } catch {
      // Disk full or the like: the older head on disk is still true, and a later write catches up.
    }
  }
}

export type FoundHead =
  | { readonly kind: 'head'; readonly head: LedgerHead }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable' };

export async function readLedgerHead(path: string): Promise<FoundHead> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'missing' };
    return { kind: 'unreadable' };
  }
  try {
    const { seq, hash } = JSON.parse(text) as Partial<LedgerHead>;
    if (Number.isSafeInteger(seq) && typeof hash === 'string') {
      return { kind: 'head', head: { seq: seq as number, hash } };
    }
  } catch {
    // Falls through: not JSON.
  }
  return { kind: 'unreadable' };
}

/**
 * Durable before it is visible, so that a power cut leaves the old head or the new one, never half of
 * one. The temporary name is always the same: what a kill leaves behind is overwritten by the next write.
 */
async function replaceFile(path: string, head: LedgerHead): Promise<void> {
  const temporary = `${path}.tmp`;
  const handle = await open(temporary, 'w', 0o644);
  try {
    await handle.writeFile(`${JSON.stringify({ seq: head.seq, hash: head.hash })}\n`);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
}
