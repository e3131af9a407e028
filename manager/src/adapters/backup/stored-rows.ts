import { createReadStream } from 'node:fs';
import { ArchiveRefusedError } from '@dbox/archive';
import type { StoredRow } from '../../ports/store-snapshot.ts';

/** The largest document that the API takes in, a job's result, has 8 MiB; escaped once more it may double. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** The rows of unpacked pages, in their order. */
export async function* readStoredRows(
  files: readonly { readonly table: string; readonly path: string }[],
): AsyncGenerator<{ readonly table: string; readonly row: StoredRow }> {
  for (const { table, path } of files) {
    for await (const line of linesOf(path, table)) yield { table, row: parseRow(line, table) };
  }
}

async function* linesOf(path: string, table: string): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, end)]).toString('utf8');
      [rest, restBytes, from] = [[], 0, end + 1];
    }
    rest.push(chunk.subarray(from));
    restBytes += chunk.length - from;
    if (restBytes > MAX_LINE_BYTES) throw new ArchiveRefusedError(`a row of ${table} is too long`);
  }
  if (restBytes > 0) throw new ArchiveRefusedError(`the last row of a page of ${table} breaks off`);
}

function parseRow(line: string, table: string): StoredRow {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (error) {
    throw new ArchiveRefusedError(`a row of ${table} is not JSON`, { cause: error });
  }
  const isRow =
    typeof row === 'object' &&
    row !== null &&
    !Array.isArray(row) &&
    Object.values(row).every(
      (value) => value === null || typeof value === 'string' || typeof value === 'number',
    );
  if (!isRow) throw new ArchiveRefusedError(`a row of ${table} is not one of a store`);
  return row as StoredRow;
}
