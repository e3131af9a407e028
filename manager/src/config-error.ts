/** A setting that cannot be used; the message says which and what to write instead. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
