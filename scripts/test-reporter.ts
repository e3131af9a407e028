import { relative } from 'node:path';

interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly file?: string;
    readonly line?: number;
    readonly nesting?: number;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly message?: string;
    readonly details?: {
      readonly type?: string;
      readonly duration_ms?: number;
      readonly error?: { readonly cause?: unknown; readonly stack?: string };
    };
  };
}

/**
 * Quiet while all is well: a dot a test, each failure in full, skipped tests with their reason, and
 * one closing line with the counts.
 */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const failures: string[] = [];
  const skipped: string[] = [];
  const byFile = new Map<string, number>();
  /** The end of what each file printed beside its tests: why it failed as a whole, under its own name, stands nowhere else. */
  const printed = new Map<string, string>();
  let passed = 0;
  let column = 0;
  for await (const { type, data } of events) {
    const suite = data.details?.type === 'suite';
    const place = data.file ? `${relative(process.cwd(), data.file)}:${data.line}` : '';
    if (data.file && data.nesting === 0 && (type === 'test:pass' || type === 'test:fail')) {
      const file = relative(process.cwd(), data.file);
      byFile.set(file, (byFile.get(file) ?? 0) + (data.details?.duration_ms ?? 0));
    }
    if (type === 'test:pass' && !suite) {
      if (data.skip)
        skipped.push(`${place} ${data.name}${typeof data.skip === 'string' ? `: ${data.skip}` : ''}`);
      else passed += 1;
      yield column++ % 100 === 99 ? '.\n' : '.';
    } else if (type === 'test:fail') {
      const cause = data.details?.error?.cause ?? data.details?.error;
      const subtests =
        suite && /subtests? failed/.test(String((cause as Error | undefined)?.message ?? cause));
      if (subtests) continue;
      const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      const ofFile = printed.get(data.name ?? '');
      failures.push(`✖ ${data.name} (${place})\n${why}${ofFile ? `\n${ofFile}` : ''}`);
      yield `\n${failures.at(-1)}\n`;
    } else if (type === 'test:stderr' && data.message) {
      if (data.file) printed.set(data.file, ((printed.get(data.file) ?? '') + data.message).slice(-2_000));
      if (process.env.DBOX_TEST_VERBOSE) yield data.message;
    }
  }
  yield '\n';
  for (const line of skipped) yield `skipped ${line}\n`;
  const slowest = [...byFile].sort((a, b) => b[1] - a[1]).slice(0, 5);
  yield `slowest files: ${slowest.map(([file, ms]) => `${file} ${(ms / 1000).toFixed(1)} s`).join(', ')}\n`;
  if (failures.length > 0) yield `\n${failures.length} failures, again:\n${failures.join('\n\n')}\n`;
  if (passed === 0 && failures.length === 0) yield 'no test was executed\n';
  yield `${passed} passed, ${failures.length} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}\n`;
}
