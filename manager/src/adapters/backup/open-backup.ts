import { Readable } from 'node:stream';
import { ProblemError } from '@dbox/contracts';
import type { Store } from '../../ports/store.ts';
import type { RepositoryArchive } from '../repositories-git/index.ts';
import { type BackupSource, writeBackup } from './write-backup.ts';

export interface BackupDesk {
  /** The archive as a stream; whoever destroys it, or reads it to its end, gives everything back. */
  open(): Promise<Readable>;
}

/** One backup at a time: each keeps a copy of the store's state, and keeps old files from being pruned. */
export function createBackupDesk(o: {
  readonly store: Pick<Store, 'snapshot'>;
  readonly workspace: string;
  readonly repositories: RepositoryArchive;
  readonly boxVersion: string;
  readonly data: BackupSource['data'];
  readonly now: () => string;
  /** From before the snapshot until the end, nothing is pruned. */
  readonly hold: () => Promise<() => void>;
}): BackupDesk {
  let isBusy = false;
  return {
    async open() {
      if (isBusy) {
        throw new ProblemError('conflict', 'Another backup is being made; try again when it is done.', {
          retryAfterSeconds: 10,
        });
      }
      isBusy = true;
      const release = await o.hold();
      const done = () => {
        release();
        isBusy = false;
      };
      try {
        const snapshot = await o.store.snapshot();
        const body = Readable.from(writeBackup({ ...o, snapshot, createdAt: o.now() }), {
          objectMode: false,
        });
        body.once(
          'close',
          () =>
            void snapshot
              .close()
              .catch(() => undefined)
              .finally(done),
        );
        return body;
      } catch (error) {
        done();
        throw error;
      }
    },
  };
}
