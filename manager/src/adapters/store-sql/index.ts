export { StoreTooNewError } from './migrations/index.ts';
export { openSqliteStore, type SqliteStoreOptions, StoreHeldError } from './sqlite.ts';
export { verifyLedger } from './verify-ledger.ts';
