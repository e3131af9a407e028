import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHostsFault } from './install-fault.ts';

const outputs: readonly [output: string, isHosts: boolean][] = [
  ['npm error code EAI_AGAIN\nnpm error request to https://registry.host.test/x failed', true],
  ['npm error code E503\nnpm error 503 Service Unavailable', true],
  ['npm error nospc ENOSPC: no space left on device', true],
  ['npm error code UNABLE_TO_GET_ISSUER_CERT_LOCALLY', true],
  ['npm error code E404\nnpm error 404 Not Found - GET https://registry.host.test/no-such-thing', false],
  ['npm error code ERESOLVE\nnpm error ERESOLVE could not resolve', false],
  ['npm error code EUSAGE\nnpm error `npm ci` can only install with an existing package-lock.json', false],
];
for (const [output, isHosts] of outputs) {
  test(`"${output.split('\n')[0]}" is the ${isHosts ? 'host' : 'commit'}'s fault`, () => {
    assert.equal(isHostsFault(output), isHosts);
  });
}
