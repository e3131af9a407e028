import { afterEach, beforeEach, describe } from 'node:test';
import type { Store } from '../store.ts';
import { describeJobs } from './store-jobs.testsuite.ts';
import { describeLedger } from './store-ledger.testsuite.ts';
import { describeNouns } from './store-nouns.testsuite.ts';
import { describeSnapshots } from './store-snapshots.testsuite.ts';
import { describeTransactions } from './store-transactions.testsuite.ts';
import type { StorePlace, StoreUnderTest } from './store-under-test.ts';

/** What every store must do. A new adapter exists when it passes. */
export function describeStore(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(name, () => {
    let place: StorePlace;
    let store: Store;
    beforeEach(async () => {
      place = await makePlace();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });
    const underTest: StoreUnderTest = {
      get store() {
        return store;
      },
      async reopen() {
        await store.close();
        store = await place.open();
        return store;
      },
    };
    describeTransactions(underTest);
    describeNouns(underTest);
    describeJobs(underTest);
    describeLedger(underTest);
    describeSnapshots(underTest);
  });
}
