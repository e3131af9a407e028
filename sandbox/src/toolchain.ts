/** The programs that commands find first in their PATH, whatever the host has. */
export interface Toolchain {
  /** The pinned Node. */
  readonly nodeBin: string;
  /** The npm package's directory, which holds `bin/npm-cli.js`; null where the host has no npm. */
  readonly npmDir: string | null;
  /** A registry to use instead of the one npm is set to; null: npm is asked when something is installed. */
  readonly npmRegistry: string | null;
}

export function findToolchain(): Promise<Toolchain> {
  return Promise.reject(new Error('not built yet'));
}
