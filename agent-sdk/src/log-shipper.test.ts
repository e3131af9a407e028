import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogShipper } from './log-shipper.ts';
import { createManualClock } from './testing/manual-clock.ts';

function start(send: (ndjson: string) => Promise<void>) {
  const clock = createManualClock();
  const shipper = createLogShipper({ clock, mark: (count) => `(${count})`, send });
  return { clock, shipper };
}

test('lines that come close together go in one batch, and nothing is sent while there is nothing to say', async () => {
  const sent: string[] = [];
  const { clock, shipper } = start(async (ndjson) => void sent.push(ndjson));
  clock.advance(10_000);
  assert.deepEqual(sent, []);
  shipper.push('a');
  shipper.push('b');
  await clock.asleepFor(100);
  assert.deepEqual(sent, []);
  clock.advance(100);
  await shipper.flush();
  assert.deepEqual(sent, ['a\nb\n']);
});

test('flush does not wait for the batch to gather, and waits until it is sent', async () => {
  const sent: string[] = [];
  const { shipper } = start(async (ndjson) => void sent.push(ndjson));
  shipper.push('a');
  await shipper.flush();
  assert.deepEqual(sent, ['a\n']);
  shipper.push('b');
  await shipper.flush();
  assert.deepEqual(sent, ['a\n', 'b\n']);
});

test('lines that come while a batch is under way follow in the next one', async () => {
  const sent: string[] = [];
  let release!: () => void;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { shipper } = start(async (ndjson) => {
    sent.push(ndjson);
    await gate;
  });
  shipper.push('a');
  const flushed = shipper.flush();
  await Promise.resolve();
  shipper.push('b');
  release();
  await flushed;
  assert.equal(sent.join(''), 'a\nb\n');
});

test('after a close, or a sending that failed for good, nothing is sent any more', async () => {
  const sent: string[] = [];
  const closed = start(async (ndjson) => void sent.push(ndjson));
  closed.shipper.push('a');
  closed.shipper.close();
  closed.shipper.push('b');
  await closed.shipper.flush();
  assert.deepEqual(sent, []);

  let tryCount = 0;
  const failed = start(async () => {
    tryCount += 1;
    throw new Error('gone');
  });
  failed.shipper.push('a');
  await failed.shipper.flush();
  failed.shipper.push('b');
  await failed.shipper.flush();
  assert.equal(tryCount, 1);
});
