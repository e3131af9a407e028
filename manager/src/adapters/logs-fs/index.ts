export { createLogStore } from './file-log-store.ts';
