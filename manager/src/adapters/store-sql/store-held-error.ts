/** Another process holds this store; there is one manager for each. */
export class StoreHeldError extends Error {
  override readonly name = 'StoreHeldError';
  /** The file, or the address without a password. */
  readonly place: string;
  constructor(o: { place: string; message: string; cause?: unknown }) {
    super(o.message, { cause: o.cause });
    this.place = o.place;
  }
}
