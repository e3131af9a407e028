import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';

/*
 * The floor: a claim loop on Hono and SQLite with none of our logic: no roles, no validation, no
 * version check, no event, no hash. As durable as ours (WAL, synchronous=FULL), one transaction a
 * request. Started as a process of its own; prints its port.
 */
const jobCount = Number(process.argv[2]);
const database = new DatabaseSync(join(await mkdtemp(join(tmpdir(), 'dbox-floor-')), 'floor.db'));
database.exec(`
  PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE jobs (id INTEGER PRIMARY KEY, status TEXT NOT NULL, fence INTEGER NOT NULL, payload TEXT NOT NULL);
  CREATE INDEX queued ON jobs (id) WHERE status = 'queued';
  BEGIN;
`);
const insert = database.prepare("INSERT INTO jobs (status, fence, payload) VALUES ('queued', 0, ?)");
for (let n = 0; n < jobCount; n++) insert.run('x'.repeat(500));
database.exec('COMMIT');
const claim = database.prepare(
  "UPDATE jobs SET status = 'leased', fence = fence + 1 WHERE id = (SELECT id FROM jobs WHERE status = 'queued' ORDER BY id LIMIT 1) RETURNING id, fence, payload",
);
const complete = database.prepare(
  "UPDATE jobs SET status = 'succeeded' WHERE id = ? AND fence = ? AND status = 'leased'",
);

const app = new Hono();
app.post('/lease', async (c) => {
  await c.req.json();
  const job = claim.get();
  return job ? c.json(job) : c.body(null, 204);
});
app.post('/complete', async (c) => {
  const { id, fence } = await c.req.json<{ id: number; fence: number }>();
  return complete.run(id, fence).changes === 1 ? c.json({ ok: true }) : c.json({ ok: false }, 409);
});
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
  console.log(JSON.stringify({ port })),
);
