import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderTable } from './table.ts';

test('columns are as wide as their widest cell and lines end without blanks', () => {
  const text = renderTable({
    headers: ['ID', 'WHAT'],
    rows: [
      ['a-long-one', 'x'],
      ['b', ''],
    ],
    columns: null,
  });
  assert.equal(text, 'ID          WHAT\na-long-one  x\nb');
});

test('colour is laid on after the width is known', () => {
  const paint = (text: string): string => `<${text}>`;
  const text = renderTable({ headers: ['A', 'B'], rows: [[{ text: 'ok', paint }, 'x']], columns: null });
  assert.equal(text, 'A   B\n<ok>  x');
});

test('on a terminal the last column is cut so that no line wraps', () => {
  const text = renderTable({ headers: ['A', 'TEXT'], rows: [['a', 'y'.repeat(50)]], columns: 20 });
  assert.equal(text.split('\n')[1], `a  ${'y'.repeat(16)}…`);
});

test('a hostile cell can neither add lines nor colours', () => {
  const text = renderTable({ headers: ['A'], rows: [['x\u001b[31m\ny']], columns: null });
  assert.equal(text, 'A\nx y');
});
