export { openSqliteStore, StoreHeldError } from './sqlite.ts';
export { verifyLedger } from './verify-ledger.ts';
