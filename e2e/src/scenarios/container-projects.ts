import type { Files } from '../recorded-task.ts';

/** Of what a container of a project is made: one program that answers with its version, in an image of its own. */
export function containerSite(version: string, more = ''): Files {
  return {
    Dockerfile: dockerfile(),
    'server.mjs': `import { createServer } from 'node:http';\n${more}\nconst server = createServer((request, response) => {\n  if (globalThis.answer?.(request, response)) return;\n  response.end('version ${version}');\n});\nserver.listen(Number(process.env.PORT), '0.0.0.0');\nprocess.on('SIGTERM', () => process.exit(0));\n`,
  };
}

/** `more`: lines before the last ones, from line 3 on. */
export function dockerfile(more = '', port = 3000): string {
  return `FROM node:24-bookworm-slim\nCOPY server.mjs /app/\n${more}USER node\nEXPOSE ${port}\nCMD ["node", "/app/server.mjs"]\n`;
}

/**
 * Asks the Postgres of its project, by the wire itself, so that nothing has to be installed: `/add` adds
 * a row, and every answer counts them.
 */
export const COUNTS_ROWS = `
import { connect } from 'node:net';
function ask(sql) {
  return new Promise((resolve, reject) => {
    const socket = connect(5432, 'db');
    const rows = [];
    let [buffer, isReady, failure] = [Buffer.alloc(0), false, null];
    const send = (type, text) => {
      const body = Buffer.from(text + '\\0');
      const head = Buffer.alloc(5);
      head.write(type);
      head.writeInt32BE(body.length + 4, 1);
      socket.write(Buffer.concat([head, body]));
    };
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(failure ?? 'the database went away')));
    socket.on('connect', () => {
      const names = Buffer.from('user\\0app\\0database\\0app\\0\\0');
      const head = Buffer.alloc(8);
      head.writeInt32BE(names.length + 8);
      head.writeInt32BE(196608, 4);
      socket.write(Buffer.concat([head, names]));
    });
    socket.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      while (buffer.length >= 5 && buffer.length > buffer.readInt32BE(1)) {
        const type = String.fromCharCode(buffer[0]);
        const body = buffer.subarray(5, buffer.readInt32BE(1) + 1);
        buffer = buffer.subarray(body.length + 5);
        if (type === 'R' && body.readInt32BE(0) === 3) send('p', process.env.DB_PASSWORD);
        if (type === 'E') failure = body.toString().replaceAll('\\0', ' ');
        if (type === 'D') rows.push(body.toString('utf8', 6, 6 + body.readInt32BE(2)));
        if (type !== 'Z') continue;
        if (!isReady) {
          isReady = true;
          send('Q', sql);
        } else {
          if (failure === null) resolve(rows);
          socket.end();
        }
      }
    });
  });
}
globalThis.answer = (request, response) => {
  const add = request.url === '/add' ? 'INSERT INTO visits DEFAULT VALUES;' : '';
  ask('CREATE TABLE IF NOT EXISTS visits (id serial);' + add + 'SELECT count(*) FROM visits').then(
    (rows) => response.end('version ' + VERSION + ', rows ' + rows.join()),
    (error) => {
      response.statusCode = 500;
      response.end(error.message);
    },
  );
  return true;
};`;
