/** Where a value belongs: what was encrypted for one place cannot be read as another's. */
export interface SettingPlace {
  readonly project: string;
  readonly environment: string;
  readonly key: string;
}

/** The value cannot be read: the key that it was encrypted with is lost, or it was changed since. */
export class SealBrokenError extends Error {
  override readonly name = 'SealBrokenError';
}

/** Encrypts values of settings with the box's own key, so that neither the store nor a backup of it alone tells them. */
export interface SettingVault {
  seal(place: SettingPlace, value: string): string;
  /** Throws `SealBrokenError`. */
  open(place: SettingPlace, sealed: string): string;
}
