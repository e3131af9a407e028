import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFrameTracker } from './farewell.ts';

function frame(opcode: number, length: number, isMasked: boolean): Buffer {
  const long = length < 126 ? [] : length < 65_536 ? [2] : [8];
  const lengths = Buffer.alloc(long[0] ?? 0);
  if (long[0] === 2) lengths.writeUInt16BE(length);
  if (long[0] === 8) lengths.writeBigUInt64BE(BigInt(length));
  const short = length < 126 ? length : length < 65_536 ? 126 : 127;
  // A payload that looks like headers itself.
  const mask = Buffer.alloc(isMasked ? 4 : 0, 0x88);
  return Buffer.concat([
    Buffer.from([0x80 | opcode, short | (isMasked ? 0x80 : 0)]),
    lengths,
    mask,
    Buffer.alloc(length, 0x88),
  ]);
}

test('frames of any length are told apart, wherever the stream is cut', () => {
  const frames = fc.array(
    fc.tuple(fc.constantFrom(1, 2, 9, 10), fc.constantFrom(0, 1, 125, 126, 65_536), fc.boolean()),
    {
      minLength: 1,
      maxLength: 5,
    },
  );
  fc.assert(
    fc.property(frames, fc.nat(), fc.integer({ min: 1, max: 70_000 }), (given, cut, step) => {
      const stream = Buffer.concat(
        given.map(([opcode, length, isMasked]) => frame(opcode, length, isMasked)),
      );
      const ends = new Set([0]);
      let end = 0;
      for (const one of given) {
        end += frame(...one).length;
        ends.add(end);
      }
      const at = cut % (stream.length + 1);
      const tracker = createFrameTracker();
      for (let from = 0; from < at; from += step)
        tracker.push(stream.subarray(from, Math.min(at, from + step)));
      assert.equal(tracker.isBetweenFrames, ends.has(at));
      assert.equal(tracker.hasClosed, false);
    }),
  );
});

test('a close frame that goes by is noticed', () => {
  const tracker = createFrameTracker();
  tracker.push(Buffer.concat([frame(1, 5, false), frame(8, 2, false)]));
  assert.equal(tracker.hasClosed, true);
  assert.equal(tracker.isBetweenFrames, true);
});
