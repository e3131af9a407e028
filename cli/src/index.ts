export type { ExitCode } from './exit-codes.ts';
export { EXIT } from './exit-codes.ts';
