export { type BeforeMigrate, StoreTooNewError } from './migrations/index.ts';
export type { PostgresAddress } from './postgres/address.ts';
export { labelOf } from './postgres/address.ts';
export { openPostgresStore, StoreUnreachableError } from './postgres/open.ts';
export { openSqliteStore } from './sqlite.ts';
export { StoreHeldError } from './store-held-error.ts';
export { verifyLedger } from './verify-ledger.ts';
