import { cut, plainLine } from './plain-text.ts';

/** A cell's text, and how to colour it once its width is known. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

export interface Table {
  readonly headers: readonly string[];
  readonly rows: readonly (readonly (string | Cell)[])[];
  /** Cuts the last column so that no line is longer; null never cuts. */
  readonly columns: number | null;
  readonly paintHeader?: (text: string) => string;
}

/** Columns two spaces apart, without trailing blanks. Text is made plain here, whoever wrote it. */
export function renderTable(table: Table): string {
  const rows = table.rows.map((row) =>
    row.map((cell) => {
      const { text, paint } = typeof cell === 'string' ? { text: cell, paint: undefined } : cell;
      return { text: plainLine(text), paint };
    }),
  );
  const header = table.headers.map((text) => ({ text, paint: table.paintHeader }));
  const widths = table.headers.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => [...(row[column]?.text ?? '')].length)),
  );
  const last = widths.length - 1;
  const before = widths.slice(0, last).reduce((sum, width) => sum + width + 2, 0);
  const lastWidth = table.columns === null ? Number.POSITIVE_INFINITY : Math.max(10, table.columns - before);

  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, column) => {
          const text = column === last ? cut(cell.text, lastWidth) : cell.text;
          const painted = cell.paint && text !== '' ? cell.paint(text) : text;
          const gap = column === last ? 0 : (widths[column] ?? 0) - [...text].length + 2;
          return painted + ' '.repeat(gap);
        })
        .join('')
        .trimEnd(),
    )
    .join('\n');
}
