export type IdPrefix = 'st' | 'job' | 'agt' | 'rel' | 'inc' | 'art' | 'tok';
/** New ids, unpredictable outside of tests: `<prefix>_` and 10 Crockford base-32 digits. */
export interface IdSource {
  next(prefix: IdPrefix): string;
}
