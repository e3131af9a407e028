import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from './problem.js';

const ID = /^[0-9a-f]{32}$/;

/**
 * The records of one resource: a file each, written aside, synced and renamed, so that a crash or a
 * full disk leaves the old one or the new one and nothing between. Nothing is kept in memory: while a
 * new release takes over from an old one, both see the same data.
 */
export async function openRecords(dir) {
  await mkdir(dir, { recursive: true });
  const fileOf = (id) => join(dir, `${id}.json`);
  const makeId = createIdSource();
  const inTurn = createTurns();

  async function read(id) {
    if (!ID.test(id)) return null;
    try {
      return JSON.parse(await readFile(fileOf(id), 'utf8'));
    } catch (error) {
      if (error.code === 'ENOENT') return null;
      throw new Error(`record ${id} cannot be read: ${error.message}`, { cause: error });
    }
  }

  async function write(record) {
    const aside = join(dir, `.${record.id}.${randomBytes(4).toString('hex')}`);
    try {
      const file = await open(aside, 'wx', 0o600);
      try {
        await file.writeFile(`${JSON.stringify(record)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(aside, fileOf(record.id));
    } catch (error) {
      await rm(aside, { force: true });
      throw error;
    }
    await syncDirectory(dir);
    return record;
  }

  /** Changes of one record happen one after the other. `change` gets the present one and may throw a problem. */
  function changeRecord(id, change) {
    return inTurn(id, async () => {
      const present = await read(id);
      if (present === null) throw new Problem(404, 'there is no such record');
      return await change(present);
    });
  }

  return {
    read,
    async create(fields) {
      const at = new Date().toISOString();
      return await write({ id: makeId(), version: 1, createdAt: at, updatedAt: at, ...fields });
    },
    update(id, change) {
      return changeRecord(id, (present) =>
        write({
          ...present,
          ...change(present),
          version: present.version + 1,
          updatedAt: new Date().toISOString(),
        }),
      );
    },
    remove(id, check) {
      return changeRecord(id, async (present) => {
        check(present);
        await unlink(fileOf(id));
        await syncDirectory(dir);
      });
    },
    /** Up to `limit` records that were made after the one with the id `after` (which may be gone), oldest first. */
    async list({ after, limit }) {
      const names = await readdir(dir);
      const ids = names
        .filter((name) => name.endsWith('.json'))
        .map((name) => name.slice(0, -5))
        .filter((id) => ID.test(id));
      const later = ids.filter((id) => after === null || id > after).sort();
      const items = (await Promise.all(later.slice(0, limit).map(read))).filter((record) => record !== null);
      return { items, next: later.length > limit ? later[limit - 1] : null };
    },
  };
}

/** Ids in the order in which they are made: milliseconds, a counter within them, and chance. */
function createIdSource() {
  let lastMs = 0;
  let counter = 0;
  return () => {
    const nowMs = Math.max(Date.now(), lastMs);
    counter = nowMs === lastMs ? counter + 1 : 0;
    lastMs = nowMs;
    return (
      nowMs.toString(16).padStart(12, '0') +
      counter.toString(16).padStart(6, '0') +
      randomBytes(7).toString('hex')
    );
  };
}

/** Runs what has the same key one after the other. */
function createTurns() {
  const last = new Map();
  return async (key, work) => {
    const before = last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
}

/** A rename or removal lasts only once its directory is on disk. */
async function syncDirectory(dir) {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
