import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadApi } from './api.js';
import { createApiServer } from './server.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const port = Number(process.env.PORT ?? 8080);
const host = process.env.HOST ?? '127.0.0.1';
const dataDir = process.env.DATA_DIR ?? join(root, 'data');

const api = await loadApi({ root, dataDir });
const server = createApiServer(api);

server.on('error', (error) => {
  console.error(`cannot listen on ${host}:${port}: ${error.message}`);
  process.exitCode = 1;
});
server.listen(port, host, () => {
  const names = api.resources.map((resource) => resource.name).join(', ');
  console.log(`${api.site.title}: ${names} on http://${host}:${server.address().port}`);
});

/** Answers what was asked, takes no more, and ends. A second signal ends it at once. */
let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    if (stopping) process.exit(1);
    stopping = true;
    server.close();
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 5_000).unref();
  });
}
