import type { Output } from './output.ts';
import { statusMark } from './status-mark.ts';
import type { Cell } from './table.ts';
import { renderTable } from './table.ts';

type Look = Pick<Output, 'out' | 'stdout'>;

export function heading(output: Look, text: string): string {
  return output.out('bold', text);
}

/** A status as icon, text and colour; `text` says it in other words. */
export function markedCell(output: Look, status: string, text: string = status): Cell {
  const mark = statusMark(status);
  return { text: `${mark.icon} ${text}`, paint: (painted) => output.out(mark.style, painted) };
}

/** A table for stdout, as wide as the window. */
export function renderList(
  output: Look,
  headers: readonly string[],
  rows: readonly (readonly (string | Cell)[])[],
): string {
  return renderTable({
    headers,
    rows,
    columns: output.stdout.columns,
    paintHeader: (text) => output.out('dim', text),
  });
}
