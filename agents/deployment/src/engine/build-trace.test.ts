import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBuildTrace } from './build-trace.ts';

/** As Engine 26.1 sent them for a failing `RUN --network=none ls -la; exit 3`. */
const FAILED =
  'Cq4CCkdzaGEyNTY6MWMzOGY3YTIxM2FkNzEyMjYwZDQxNzdiNTAzNGZkOGYyMjAyZmY1MmMyNTVkMmMwYTc1NjkyMWJlYmFiZmI0MhJHc2hhMjU2OjliYmE0ZTA5ZGZiYjg2YjI3MDc0MzNkNGE3ZDQ5YWU5NzE0Njg0Yjk5Yzk0MDhjOGM0MTkxNzZlOGMxZGJjMmIaL1tzdGFnZS0wIDUvNV0gUlVOIC0tbmV0d29yaz1ub25lIGxzIC1sYTsgZXhpdCAzKgsIpJur2AYQ0OyuLDILCKSbq9gGENHn/kc6T3Byb2Nlc3MgIi9iaW4vc2ggLWMgbHMgLWxhOyBleGl0IDMiIGRpZCBub3QgY29tcGxldGUgc3VjY2Vzc2Z1bGx5OiBleGl0IGNvZGU6IDM=';
const PRINTED =
  'Gl4KR3NoYTI1NjpjMmI2OTg3ZDY3Zjc3ZWZhOTgzNDQwYTYwYzBmODhlNjFlNWRkMzYyMDg2Y2IzOTAxMzQzMTZkZGUzMmI4MTJhEgsIpJur2AYQx47MGhgCIgRlcnIK';

test('a failed step is read with its name and its error', () => {
  const [step] = readBuildTrace(FAILED).steps;
  assert.equal(step?.name, '[stage-0 5/5] RUN --network=none ls -la; exit 3');
  assert.match(step?.error ?? '', /exit code: 3$/);
  assert.equal(step?.hasStarted, true);
});

test('what a step prints is read with its stream', () => {
  const [log] = readBuildTrace(PRINTED).logs;
  assert.deepEqual([log?.stream, log?.text.toString()], ['stderr', 'err\n']);
});

test('a cut message is an error and no endless loop', () => {
  const cut = Buffer.from(FAILED, 'base64').subarray(0, 50).toString('base64');
  assert.throws(() => readBuildTrace(cut), RangeError);
});
