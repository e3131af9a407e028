import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createMessageParser } from './server-sent-events.ts';

test('a message is given once its empty line has come', () => {
  const parse = createMessageParser();
  assert.deepEqual(parse('id: 7\nevent: task.verified\ndata: {"a":1}\n'), []);
  assert.deepEqual(parse('\n'), [{ id: '7', event: 'task.verified', data: '{"a":1}' }]);
});

test('comments are heartbeats and make no message', () => {
  assert.deepEqual(createMessageParser()(': heartbeat\n\n:\n\n'), []);
});

test('the last id holds for messages without one', () => {
  const parse = createMessageParser();
  assert.deepEqual(
    parse('id: 1\ndata: a\n\ndata: b\n\n').map((message) => message.id),
    ['1', '1'],
  );
});

test('wherever the bytes are cut, the messages are the same', () => {
  const text = ': hi\r\nid: 1\r\ndata: one\r\ndata: two\r\n\r\nid: 2\ndata:three\n\ndata: four\n\n';
  const whole = createMessageParser()(text);
  assert.deepEqual(
    whole.map((message) => message.data),
    ['one\ntwo', 'three', 'four'],
  );
  fc.assert(
    fc.property(fc.array(fc.nat({ max: text.length }), { maxLength: 12 }), (cuts) => {
      const parse = createMessageParser();
      const places = [0, ...cuts.sort((a, b) => a - b), text.length];
      const pieces = places.slice(1).flatMap((end, i) => parse(text.slice(places[i], end)));
      assert.deepEqual(pieces, whole);
    }),
  );
});

test('a message without an end is refused before it fills the memory', () => {
  const parse = createMessageParser();
  const megabyte = 'x'.repeat(1024 * 1024);
  assert.throws(() => {
    for (let i = 0; i < 20; i += 1) parse(megabyte);
  }, /has no end/);
});
