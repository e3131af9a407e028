import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { createLineCutter, readFramedLog } from './read-lines.ts';

function frame(stream: 1 | 2, text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

async function read(...chunks: readonly Buffer[]): Promise<string[]> {
  const lines: string[] = [];
  await readFramedLog(Readable.from(chunks) as unknown as IncomingMessage, (stream, line, at) => {
    lines.push(`${stream} ${at} ${line}`);
  });
  return lines;
}

test('frames cut anywhere give whole lines with their instants', async () => {
  const all = Buffer.concat([frame(1, 'T1 hello\n'), frame(2, 'T2 oops\n')]);
  for (let cut = 1; cut < all.length; cut += 1) {
    assert.deepEqual(await read(all.subarray(0, cut), all.subarray(cut)), [
      'stdout T1 hello',
      'stderr T2 oops',
    ]);
  }
});

test('a line that the engine has split is one line', async () => {
  assert.deepEqual(await read(frame(1, 'T1 first '), frame(1, 'T2 second\n')), ['stdout T2 first second']);
});

test('a line without end takes no more memory than its beginning', () => {
  const lines: string[] = [];
  const cutter = createLineCutter((line) => lines.push(line), 10);
  for (let n = 0; n < 1_000; n += 1) cutter.push(Buffer.from('0123456789'));
  cutter.push(Buffer.from('\nnext\n'));
  assert.deepEqual(lines, ['0123456789 … 9990 bytes were left out', 'next']);
});
