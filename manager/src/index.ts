export { StoreHeldError, StoreTooNewError, StoreUnreachableError } from './adapters/store-sql/index.ts';
export type { ManagerConfig } from './config.ts';
export { ConfigError, readConfig } from './config.ts';
export type { RunningManager } from './main.ts';
export { startManager } from './main.ts';
