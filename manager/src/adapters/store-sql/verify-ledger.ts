import { GENESIS_HASH, type LedgerReport } from '@dbox/contracts';
import type { Store } from '../../ports/store.ts';
import { readLedgerHead } from './ledger-head-file.ts';
import { eventHash } from './tables/events.ts';

/** Small enough that other work gets its turn between two pages. */
const PAGE_SIZE = 500;

/**
 * Recomputes the whole chain, and compares it with the head kept outside of the database: finds an
 * event that was changed, removed, added or moved, and a ledger that was cut at its end. The first
 * thing that is wrong is reported. Works on a store in use; events appended meanwhile are left out.
 */
export async function verifyLedger(
  store: Pick<Store, 'read'>,
  o: { headFile: string | null },
): Promise<LedgerReport> {
  // Before the ledger: the file never leads it.
  const witness = o.headFile === null ? null : await readLedgerHead(o.headFile);
  const end = (await store.read((reader) => reader.events.head())) ?? { seq: 0, hash: GENESIS_HASH };
  let head = { seq: 0, hash: GENESIS_HASH };
  const report = (problem: string | null): LedgerReport => ({
    ok: problem === null,
    count: head.seq,
    headSeq: head.seq,
    headHash: head.hash,
    problem,
  });

  if (witness?.kind === 'missing') return report(`${o.headFile} is missing`);
  if (witness?.kind === 'unreadable') return report(`${o.headFile} cannot be read as a ledger head`);
  const witnessed = witness?.head ?? null;

  while (head.seq < end.seq) {
    const page = await listPage(store, head.seq, Math.min(PAGE_SIZE, end.seq - head.seq));
    if (page === null) return report(`an event after number ${head.seq} is damaged: its data is not JSON`);
    if (page.length === 0) return report(`event ${head.seq + 1} is missing`);
    for (const event of page) {
      if (event.seq !== head.seq + 1) return report(`event ${head.seq + 1} is missing`);
      const { hash, ...unhashed } = event;
      if (hash !== eventHash(head.hash, unhashed)) {
        return report(`event ${event.seq} was changed or moved: its hash is not that of its content`);
      }
      if (witnessed?.seq === event.seq && witnessed.hash !== hash) {
        return report(`history was rewritten: event ${event.seq} is not the one that ${o.headFile} names`);
      }
      head = { seq: event.seq, hash };
    }
  }
  if (witnessed !== null && witnessed.seq > head.seq) {
    return report(`the ledger was cut: it ends at event ${head.seq}, ${o.headFile} names ${witnessed.seq}`);
  }
  return report(null);
}

async function listPage(store: Pick<Store, 'read'>, after: number, limit: number) {
  try {
    return await store.read((reader) => reader.events.list({ after, limit }));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
