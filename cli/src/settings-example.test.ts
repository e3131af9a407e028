import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { parseEnv } from 'node:util';
import { readConfig } from './config.ts';

const ROOT = resolve(import.meta.dirname, '../..');

test('the example of all settings shows the defaults of the command line', () => {
  const example = parseEnv(readFileSync(join(ROOT, 'docs/settings.env'), 'utf8'));
  const place = { cwd: ROOT, checkoutDir: ROOT };
  // What is passed on as it is says nothing about defaults.
  const handedOn = { boxEnvironment: {}, gitEnvironment: {}, dockerEnvironment: {}, stackSettings: {} };
  assert.deepEqual({ ...readConfig(example, place), ...handedOn }, { ...readConfig({}, place), ...handedOn });
});
