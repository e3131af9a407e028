import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import pg from 'pg';

/*
 * The floor on Postgres: a claim loop with SKIP LOCKED on a pool of connections, with none of our
 * logic and one durable statement a request. Started as a process of its own; prints its port.
 */
const [jobCount, address] = [Number(process.argv[2]), process.argv[3]];
const pool = new pg.Pool({ connectionString: address, max: 10 });
await pool.query(`
  create table jobs (id bigint primary key, status text not null, fence int not null, payload text not null);
  create index queued on jobs (id) where status = 'queued';
  insert into jobs select n, 'queued', 0, repeat('x', 500) from generate_series(1, ${jobCount}) n;
`);
await pool.query('vacuum analyze jobs');

const app = new Hono();
app.post('/lease', async (c) => {
  await c.req.json();
  const { rows } = await pool.query({
    name: 'claim',
    text: `update jobs set status = 'leased', fence = fence + 1 where id =
      (select id from jobs where status = 'queued' order by id for update skip locked limit 1)
      returning id, fence, payload`,
  });
  return rows[0] ? c.json(rows[0]) : c.body(null, 204);
});
app.post('/complete', async (c) => {
  const { id, fence } = await c.req.json<{ id: number; fence: number }>();
  const { rowCount } = await pool.query({
    name: 'complete',
    text: `update jobs set status = 'succeeded' where id = $1 and fence = $2 and status = 'leased'`,
    values: [id, fence],
  });
  return rowCount === 1 ? c.json({ ok: true }) : c.json({ ok: false }, 409);
});
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
  console.log(JSON.stringify({ port })),
);
