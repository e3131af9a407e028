import type { Store, StoreTransaction } from '../ports/store.ts';

/**
 * A store that dies, once, at the `nth` commit that holds an event of this type: before it, so that
 * nothing of it may remain, or after it, so that all of it must. For crash tests alone.
 */
export function withFailpoint(
  store: Store,
  failpoint: { readonly when: 'before' | 'after'; readonly eventType: string; readonly nth: number },
  die: () => void,
): Store {
  let committed = 0;
  return {
    read: (work) => store.read(work),
    onCommit: (listener) => store.onCommit(listener),
    snapshot: () => store.snapshot(),
    close: () => store.close(),
    async transact<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T> {
      let reached = false;
      const result = await store.transact(async (tx) => {
        reached = false;
        const answer = await work({
          ...tx,
          events: {
            list: (query) => tx.events.list(query),
            head: () => tx.events.head(),
            append(draft) {
              reached ||= draft.type === failpoint.eventType;
              return tx.events.append(draft);
            },
          },
        });
        if (reached && failpoint.when === 'before' && committed + 1 === failpoint.nth) die();
        return answer;
      });
      if (reached) committed += 1;
      if (reached && failpoint.when === 'after' && committed === failpoint.nth) die();
      return result;
    },
  };
}
