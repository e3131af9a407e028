import { readFileSync } from 'node:fs';
import { restoreFrom } from './boxes.ts';

/** A process that restores and kills itself at a step. Arguments: archive, workspace, the step's beginning. */
const [archive, workspace, killAt] = process.argv.slice(2);
if (archive === undefined || workspace === undefined || killAt === undefined)
  throw new Error('three arguments');
await restoreFrom(readFileSync(archive), workspace, {
  onStep(step) {
    if (step.startsWith(killAt)) process.kill(process.pid, 'SIGKILL');
  },
});
