import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProblemError } from '@dbox/contracts';
import { readPlanDocuments } from './read-plan-documents.ts';
import { specOf } from './testing/specs.ts';

const read = (yaml: string) =>
  readPlanDocuments([{ file: 'a.yaml', yaml, attachments: [] }], {
    known: [],
    templates: ['blog', 'simple-static'],
  });

function problemOf(yaml: string): ProblemError {
  try {
    read(yaml);
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
  throw new Error('was taken');
}

test('a message is whole sentences: where, what, what to write instead, and how much more there is', () => {
  const bad = [
    'id: [',
    'id: a\ntitle: t\nruin: x\nruin2: y\n',
    specOf('one'),
    'id: a\ntitle: t\ninputs:\n  - type: template\n    name: nope\n',
  ];
  for (const yaml of bad) {
    const { message } = problemOf(yaml);
    assert.match(message, /^a\.yaml:\d+:\d+: /);
    assert.doesNotMatch(message, /\.\.|\. \.|\.\)\./);
    assert.match(message, /[.)]$/);
  }
});

test('a template there is not, and a recorded attempt that was not sent, are named with what to do', () => {
  const template = problemOf(
    'id: a\ntitle: t\ninputs:\n  - type: template\n    name: nope\ntests:\n  - run: npm test\n',
  );
  assert.equal(template.code, 'template_unknown');
  assert.match(template.message, /"nope"\. Write one of: blog, simple-static\.$/);
  const attempt = problemOf(specOf('one'));
  assert.equal(attempt.findings?.length, 3);
  assert.match(attempt.message, /\(and 2 more\)$/);
});
