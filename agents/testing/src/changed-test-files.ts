import type { GitRunner } from './working-tree.ts';

const DIRECTORIES = new Set(['test', 'tests', '__tests__', '__snapshots__', 'spec', 'specs', 'e2e']);
const FILES = [
  /^tests?\.[a-z0-9]+$/i,
  /[._-](?:test|tests|spec)\.[a-z0-9]+$/i,
  /^(?:run[-_])?tests?(?:\.sh)?$/i,
  /^test[-_].+\.(?:py|sh|js|mjs|cjs|ts)$/i,
  /_test\.(?:go|py|rb|exs|ts|js)$/i,
  /^run[-_]tests?\.[a-z]+$/i,
  /^conftest\.py$/i,
];

/** Whether a path looks like a test, by the customs of the common runners. */
export function isTestFile(path: string): boolean {
  const segments = path.split('/');
  const name = segments.at(-1) as string;
  if (segments.slice(0, -1).some((segment) => DIRECTORIES.has(segment))) return true;
  return FILES.some((pattern) => pattern.test(name));
}

/** Paths that commands name, such as `./verify.sh`, which are tests whatever they are called. */
export function findNamedFiles(commands: readonly string[]): Set<string> {
  return new Set(
    commands
      .flatMap((command) => command.split(/[\s;&|()'"]+/))
      .filter((word) => /[./]/.test(word) && !word.startsWith('-') && !word.startsWith('/'))
      .map((word) => word.replace(/^\.\//, '')),
  );
}

const MOST_FILES = 100;

/**
 * Test files that existed in `base` and that `commit` changed, deleted or moved away. An attempt may
 * have good reasons for that; a person who reads the verdict has to see it.
 */
export async function findChangedTestFiles(o: {
  readonly git: GitRunner;
  readonly base: string;
  readonly commit: string;
  readonly commands: readonly string[];
}): Promise<string[]> {
  const { stdout } = await o.git([
    'diff-tree',
    '-r',
    '-z',
    '--name-only',
    '--no-renames',
    '--diff-filter=MDT',
    o.base,
    o.commit,
  ]);
  const named = findNamedFiles(o.commands);
  return stdout
    .split('\0')
    .filter((path) => path !== '' && (isTestFile(path) || named.has(path)))
    .slice(0, MOST_FILES);
}
