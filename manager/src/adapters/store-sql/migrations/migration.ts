import type { SqlFlavor } from '../sql-flavor.ts';

/** Forward only: once released it is never edited, a change is a new one. */
export interface Migration {
  readonly name: string;
  readonly statements: (flavor: SqlFlavor) => readonly string[];
}
