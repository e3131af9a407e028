import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stats } from '../../engine/engine-answers.ts';
import { usageOf } from './engine-observer.ts';

const stats = (cpuNs: number, systemNs: number): Stats => ({
  cpu_stats: { cpu_usage: { total_usage: cpuNs }, system_cpu_usage: systemNs, online_cpus: 2 },
  memory_stats: { usage: 100, limit: 1_000, stats: { total_inactive_file: 40 } },
  pids_stats: { current: 3 },
});

test('a share of two cores is told in percent of one, memory without what the kernel could take back', () => {
  const usage = usageOf('rel_0000000001', stats(1_000, 10_000), stats(2_000, 14_000));
  assert.deepEqual(usage, {
    releaseId: 'rel_0000000001',
    cpuPercent: 50,
    memoryBytes: 60,
    memoryLimitBytes: 1_000,
    processes: 3,
  });
});

test('a first look cannot say how busy it is', () => {
  assert.equal(usageOf('rel_0000000001', null, stats(5_000, 10_000)).cpuPercent, 0);
});
