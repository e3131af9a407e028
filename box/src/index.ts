export type { BoxConfig } from './config.ts';
export { readBoxConfig } from './config.ts';
export type { RunningBox } from './start-box.ts';
export { startBox } from './start-box.ts';
