// A service touches its health file every three seconds while the manager answers it.
// Usage: node healthy.mjs FILE, where {hostname} stands for this container's own.
import { statSync } from 'node:fs';
import { hostname } from 'node:os';

const MAX_AGE_MS = 15_000;
const file = process.argv[2].replace('{hostname}', hostname());
const touchedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
if (touchedAt === undefined || Date.now() - touchedAt > MAX_AGE_MS) {
  console.error('the manager does not answer this service');
  process.exit(1);
}
