import type { Files } from '../recorded-task.ts';

/**
 * A service written with node alone that answers with its version, greets WebSockets with it and echoes
 * what they say. `more` may set `globalThis.answer(request, response)`, true where it has answered.
 */
export function chattyService(version: string, more = ''): Files {
  return {
    'dbox.yaml': 'run: node server.mjs\n',
    'server.mjs': SOURCE.replaceAll('VERSION', version).replace('// MORE', () => more),
  };
}

const SOURCE = `import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
// MORE
const server = createServer((request, response) => {
  if (globalThis.answer?.(request, response)) return;
  if (request.method !== 'POST') return response.end('version VERSION');
  // An upload is answered when it is here.
  request.resume().once('end', () => response.end('version VERSION'));
});
server.on('upgrade', (request, socket) => {
  const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nconnection: Upgrade\\r\\nupgrade: websocket\\r\\nsec-websocket-accept: ' + createHash('sha1').update(key).digest('base64') + '\\r\\n\\r\\n');
  const say = (opcode, text) => socket.write(Buffer.concat([Buffer.from([0x80 | opcode, Buffer.byteLength(text)]), Buffer.from(text)]));
  say(1, 'version VERSION');
  let rest = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    // Short masked frames: what a visitor of a scenario sends.
    while (rest.length >= 6 && rest.length >= 6 + (rest[1] & 0x7f)) {
      const [opcode, length] = [rest[0] & 0x0f, rest[1] & 0x7f];
      const text = Buffer.from(rest.subarray(6, 6 + length).map((byte, at) => byte ^ rest[2 + (at % 4)]));
      rest = rest.subarray(6 + length);
      if (opcode === 8) return socket.end(Buffer.from([0x88, 0x02, 0x03, 0xe8]));
      if (opcode === 1) say(1, text);
    }
  });
});
server.listen(Number(process.env.PORT), process.env.HOST ?? '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
`;
