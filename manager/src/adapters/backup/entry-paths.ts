import { projectOfPlace } from '../repositories-git/index.ts';
import { LEFT_OUT_SECRETS } from './workspace-state.ts';

/*
 * What lies where in an archive. Files of the workspace have the same path in both; the store's rows are
 * below `store/`, a repository is a bundle below `repositories/`.
 */

export function rowsPath(table: string, page: number): string {
  return `store/${table}/${String(page).padStart(6, '0')}.ndjson`;
}

export function bundlePath(place: string): string {
  return `repositories/${place}.bundle`;
}

export type EntryKind =
  | { readonly kind: 'rows'; readonly table: string; readonly page: number }
  | { readonly kind: 'bundle'; readonly place: string; readonly project: string }
  | { readonly kind: 'file' }
  | { readonly kind: 'data' };

const ID = '[A-Za-z0-9][A-Za-z0-9._-]{0,99}';
const ARTIFACT = 'art_[0-9a-z]{10}-[A-Za-z0-9][A-Za-z0-9._-]{0,99}';
const FILES = [
  new RegExp(`^artifacts/${ARTIFACT}$`),
  new RegExp(`^tasks/${ID}/artifacts/${ARTIFACT}$`),
  new RegExp(`^tasks/${ID}/spec\\.yaml$`),
  new RegExp(`^stories/${ID}/attachments/${ID}/\\d{1,6}\\.json$`),
  /^secrets\/[a-z0-9][a-z0-9.-]{0,60}$/,
];
/** A site's own files may have any name. */
const DATA = /^data(?:\/[a-z0-9-]{1,48}){0,2}$|^data\/[a-z0-9-]{1,48}\/[a-z0-9-]{1,48}\/./s;

/** Null for what no backup of this version holds. */
export function kindOf(name: string, type: 'file' | 'directory'): EntryKind | null {
  if (DATA.test(name)) return { kind: 'data' };
  // Put into an archive by hand: they would take the place of this machine's own.
  if (name.startsWith('secrets/') && LEFT_OUT_SECRETS.has(name.slice('secrets/'.length))) return null;
  if (type === 'directory') return null;
  const rows = /^store\/([a-z_]{1,60})\/(\d{6,9})\.ndjson$/.exec(name);
  if (rows) return { kind: 'rows', table: rows[1]!, page: Number(rows[2]) };
  const place = /^repositories\/(.+)\.bundle$/s.exec(name)?.[1];
  const project = place === undefined ? null : projectOfPlace(place);
  if (place !== undefined && project !== null) return { kind: 'bundle', place, project };
  return FILES.some((pattern) => pattern.test(name)) ? { kind: 'file' } : null;
}
