export { moveStore } from './move-store.ts';
export type { StoppedBox } from './offline.ts';
export { backUpBeforeMigration, backUpStopped, openStoppedStore } from './offline.ts';
export { createBackupDesk } from './open-backup.ts';
export { restoreBox } from './restore.ts';
export { recordStorePlace, requireOwnStore } from './store-place.ts';
export { requireFinishedRestore, WorkspaceStateError } from './workspace-state.ts';
