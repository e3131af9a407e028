import { test } from 'node:test';
import { skipWithoutEngine } from '../../engine/testing/find-engine.ts';
import { describeTarget } from '../testing/target.testsuite.ts';
import { openContainerBench } from './testing/container-bench.ts';

const skip = await skipWithoutEngine();

if (skip === false) {
  describeTarget({
    name: 'container',
    host: '0.0.0.0',
    open: async (_directories, t) => (await openContainerBench(t)).open(),
  });
} else {
  test('container', { skip }, () => undefined);
}
