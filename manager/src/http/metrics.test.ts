import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics, type MetricsSnapshot } from './metrics.ts';

test('requests are counted by operation and status', async () => {
  const metrics = createMetrics({ collect: () => ({}) });
  metrics.observeAnswer({ operation: 'leaseJob', status: 200, durationMs: 4 });
  metrics.observeAnswer({ operation: 'leaseJob', status: 200, durationMs: 40 });
  metrics.observeAnswer({ operation: 'leaseJob', status: 204, durationMs: 4 });
  const text = await metrics.render();
  assert.match(text, /^dbox_http_requests_total\{operation="leaseJob",status="200"\} 2$/m);
  assert.match(text, /^dbox_http_requests_total\{operation="leaseJob",status="204"\} 1$/m);
  assert.match(text, /^dbox_http_request_duration_seconds_bucket\{le="0\.005",operation="leaseJob"\} 2$/m);
  assert.match(text, /^dbox_http_request_duration_seconds_count\{operation="leaseJob"\} 3$/m);
});

test('a scrape shows the manager as it is then, and no series of what is gone', async () => {
  let snapshot: MetricsSnapshot = {
    version: '1.2.3',
    jobs: [{ kind: 'code', status: 'queued', count: 3 }],
    tasks: { deployed: 2 },
    probes: [
      { project: 'blog', environment: 'dev', releaseId: 'rel_0123456789', ok: true, durationMs: 12 },
      { project: 'shop', environment: 'dev', releaseId: 'rel_9876543210', ok: false, durationMs: null },
    ],
    usage: [
      {
        project: 'blog',
        environment: 'dev',
        releaseId: 'rel_0123456789',
        cpuPercent: 12.5,
        memoryBytes: 4096,
        memoryLimitBytes: null,
        processes: 3,
      },
    ],
    eventCount: 41,
  };
  const metrics = createMetrics({ collect: () => snapshot });
  const first = await metrics.render();
  assert.match(first, /^dbox_build_info\{version="1\.2\.3"\} 1$/m);
  assert.match(first, /^dbox_jobs\{kind="code",status="queued"\} 3$/m);
  assert.match(first, /^dbox_tasks\{status="deployed"\} 2$/m);
  assert.match(first, /^probe_success\{project="blog",environment="dev",release="rel_0123456789"\} 1$/m);
  assert.match(first, /^probe_duration_seconds\{project="blog",.*\} 0\.012$/m);
  assert.match(first, /^probe_success\{project="shop",.*\} 0$/m);
  assert.doesNotMatch(first, /^probe_duration_seconds\{project="shop"/m);
  assert.match(first, /^dbox_release_memory_bytes\{project="blog",.*\} 4096$/m);
  assert.match(first, /^dbox_release_cpu_percent\{.*release="rel_0123456789"\} 12\.5$/m);
  assert.doesNotMatch(first, /^dbox_release_memory_limit_bytes\{/m);
  assert.match(first, /^dbox_events_total 41$/m);

  snapshot = { eventCount: 42 };
  const second = await metrics.render();
  assert.match(second, /^dbox_events_total 42$/m);
  assert.doesNotMatch(
    second,
    /^(dbox_release_cpu_percent|dbox_jobs|dbox_tasks|probe_success|dbox_build_info)\{/m,
  );
});

test('scrapes at the same time share one collection, and a failed one is not kept', async () => {
  let collections = 0;
  const metrics = createMetrics({
    collect: async () => {
      collections += 1;
      if (collections === 1) throw new Error('the store is away');
      return {};
    },
  });
  await assert.rejects(metrics.render(), /the store is away/);
  const [a, b] = await Promise.all([metrics.render(), metrics.render()]);
  assert.equal(a, b);
  assert.equal(collections, 2);
});

test('commits are counted with the transactions that shared them', async () => {
  const metrics = createMetrics({ collect: () => ({}) });
  metrics.observeCommit({ transactions: 5, durationMs: 2 });
  const text = await metrics.render();
  assert.match(text, /^dbox_store_commit_transactions_sum 5$/m);
  assert.match(text, /^dbox_store_commit_duration_seconds_bucket\{le="0\.0025"\} 1$/m);
});
