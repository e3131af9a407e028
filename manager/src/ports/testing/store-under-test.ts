import type { Store } from '../store.ts';

/** Where a store keeps its truth; empty at first. Opening again after `close` finds what was committed. */
export interface StorePlace {
  open(): Promise<Store>;
  remove(): Promise<void>;
}

/** The store of the running test. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Closes it and opens the same place again. */
  reopen(): Promise<Store>;
}
