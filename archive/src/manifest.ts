import { z } from 'zod';

/** Grows when an older box could not read a newer archive. */
export const FORMAT = 1;

const text = z.string().max(4000);
const count = z.int().min(0);
const Head = z.object({ seq: count, hash: z.string().regex(/^[0-9a-f]{64}$/) });

/** The first entry, `dbox-backup.json`: what this is, before anything has to be believed. */
export const Opening = z.object({
  format: z.int().min(1),
  boxVersion: text,
  createdAt: text,
  /** The kind of store it was taken from; it restores into either. */
  store: z.enum(['sqlite', 'postgres']),
  /** The schema's migrations, in order. */
  schema: z.array(text).min(1).max(1000),
  /** The ledger's newest event at the moment the backup shows. */
  ledger: Head,
});
export type Opening = z.infer<typeof Opening>;

/** The last entry, `manifest.json`: written only where everything before it was. */
export const Manifest = Opening.extend({
  counts: z.object({
    entries: count,
    bytes: count,
    /** Rows by table. */
    tables: z.record(z.string(), count),
    repositories: count,
    artifacts: count,
  }),
  /** Whether the sites' `DATA_DIR`s are in it: `elsewhere` where the manager does not hold them. */
  data: z.enum(['included', 'elsewhere']),
  /** What the store names but the box itself had no longer. */
  missing: z.object({ commits: z.array(text), artifacts: z.array(text) }),
  /** Data files that could not be taken as they were, and why. */
  skipped: z.array(z.object({ name: text, reason: text })),
  /** SHA-256 of `checksums.sha256`, which names every file before it. */
  checksumsSha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Manifest = z.infer<typeof Manifest>;

export const OPENING_NAME = 'dbox-backup.json';
export const CHECKSUMS_NAME = 'checksums.sha256';
export const MANIFEST_NAME = 'manifest.json';

/** A line as `sha256sum --check` reads it. */
export function checksumLine(sha256: string, name: string): string {
  const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `${escaped === name ? '' : '\\'}${sha256}  ${escaped}\n`;
}
