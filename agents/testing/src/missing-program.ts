/**
 * Why a command never came to run its tests, read from what shells, npm and runners print in that
 * case; null where nothing says so.
 */
export interface Absence {
  readonly what: string;
  readonly cause: 'commit' | 'host';
}

const NOT_FOUND = [
  // dash, busybox: `/bin/sh: 1: vitest: not found`
  /^\S*sh: (?:line )?\d+: (.+): (?:not found|Permission denied|command not found|No such file or directory)$/m,
  // bash: `run.sh: line 3: pytest: command not found`
  /^.{0,200}: line \d+: (.+): (?:command not found|No such file or directory|Permission denied)$/m,
  // env, in a script's first line: `env: 'python': No such file or directory`
  /^(?:\/usr\/bin\/)?env: [‘'"]?([^’'"\n]+)[’'"]?: (?:No such file or directory|Permission denied)$/m,
];

/** Signs that what the entry names is not there, whatever the exit code. All lie in the commit. */
const ABSENT: readonly { readonly pattern: RegExp; readonly what: (name: string) => string }[] = [
  {
    pattern: /^npm (?:error|ERR!) Missing script: "?([^"\n]+)"?$/im,
    what: (name) => `package.json has no script "${name}"`,
  },
  {
    pattern: /ERR_PNPM_NO_SCRIPT\s+Missing script: (.+)$/m,
    what: (name) => `package.json has no script "${name}"`,
  },
  { pattern: /^error Command "(.+)" not found\.$/m, what: (name) => `package.json has no script "${name}"` },
  { pattern: /^npm (?:error|ERR!) enoent .*'(.*package\.json)'/im, what: () => 'there is no package.json' },
  { pattern: /^Could not find '(.+)'$/m, what: (name) => `the test file ${name} does not exist` },
  {
    pattern: /^\S*sh: 0: (?:cannot|can't) open ['"]?(.+?)['"]?(?:: No such file)?$/m,
    what: (name) => `the script ${name} does not exist`,
  },
  {
    pattern: /^\S*python[\d.]*: can't open file '(.+)':/m,
    what: (name) => `the file ${name} does not exist`,
  },
  { pattern: /^ERROR: file or directory not found: (.+)$/m, what: (name) => `${name} does not exist` },
  {
    pattern: /^make: \*\*\* No rule to make target [`'](.+)'/m,
    what: (name) => `the Makefile has no target ${name}`,
  },
  {
    // Node given a file that is not there; a missing import names the file that asked for it.
    pattern:
      /^Error: Cannot find module '(.+)'\n(?: {4}at .*\n)*(?:\} ?)?\{?\s*(?:\n? *code: 'MODULE_NOT_FOUND',)\s*requireStack: \[\]/m,
    what: (name) => `the file ${name} does not exist`,
  },
];

/** Programs of the box's own toolchain: without them no commit could run. */
const TOOLCHAIN = new Set(['node', 'npm', 'npx', 'sh']);

export function findAbsence(o: {
  readonly run: string;
  readonly exitCode: number | null;
  readonly output: string;
}): Absence | null {
  if (o.exitCode === 127 || o.exitCode === 126) {
    const name = NOT_FOUND.map((pattern) => pattern.exec(o.output)?.[1]).find((found) => found !== undefined);
    const how = o.exitCode === 127 ? 'was not found' : 'could not be executed';
    return {
      what: `${name ?? o.run} ${how} (exit ${o.exitCode})`,
      cause: causeOfMissing(o.run, name ?? null),
    };
  }
  if (o.exitCode === 0 || o.exitCode === null) return null;
  for (const { pattern, what } of ABSENT) {
    const found = pattern.exec(o.output);
    if (found !== null) return { what: what(found[1] as string), cause: 'commit' };
  }
  return null;
}

/**
 * The commit can mend what it names itself: a path in its tree, an npm script, or what a script of
 * its own calls. A bare program that the task's spec names has to be on the host.
 */
function causeOfMissing(run: string, missing: string | null): Absence['cause'] {
  if (missing !== null && TOOLCHAIN.has(missing)) return 'host';
  const command =
    run
      .trim()
      .replace(/^(?:[A-Za-z_]\w*=\S*\s+)+/, '')
      .split(/\s+/)[0] ?? '';
  const isOfCommit = command.includes('/') || /^(?:npm|npx|pnpm|yarn|sh|bash|make|node)$/.test(command);
  return isOfCommit || missing?.includes('/') ? 'commit' : 'host';
}
