export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it stands beside in the same run; null where it is held against a fixed budget. */
  readonly beside: { readonly name: string; readonly value: number } | null;
  readonly aim: string;
  readonly met: boolean;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function printTable(figures: readonly Figure[]): void {
  const rows = figures.map((figure) => [
    // Without an aim there is nothing to meet.
    figure.aim === '' ? '' : figure.met ? 'ok' : 'MISSED',
    figure.name,
    `${format(figure.value)} ${figure.unit}`,
    figure.beside ? `${format(figure.beside.value)} ${figure.unit} (${figure.beside.name})` : '',
    figure.beside ? `${(figure.value / figure.beside.value).toFixed(2)} ×` : '',
    figure.aim,
  ]);
  const head = ['', 'figure', 'measured', 'beside', 'ratio', 'aim'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  for (const row of [head, ...rows])
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
