import type { TarEntry } from '../../engine/tar-archive.ts';

/**
 * An environment's settings as files: one a setting, and a script that exports them all. They are put
 * into a volume of the release's own, because what stands in a container's JSON is told to everybody
 * who may look at the engine.
 */
export function settingsFiles(
  settings: Readonly<Record<string, string>>,
): readonly (TarEntry & { content: string })[] {
  const keys = Object.keys(settings).sort();
  const script = keys.map((key) => `export ${key}=${quoteForShell(settings[key]!)}\n`).join('');
  const file = (path: string, content: string) => ({ path, content, kind: 'file' as const, mode: 0o444 });
  return [...keys.map((key) => file(key, settings[key]!)), file('env.sh', script)];
}

/** Nothing is special between single quotes but themselves. */
function quoteForShell(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
