/**
 * An install sees the box's own npmrc, maybe with a token of a registry. A commit's `.npmrc` may say from
 * where packages come, since npm gives a token only to the host it belongs to; never by which way
 * (`proxy`, `cafile`, `strict-ssl`), with which programs, or with what of the environment (`${…}`).
 */
export interface ProjectNpmrc {
  /** What takes part in the install, written anew; empty: nothing. */
  readonly text: string;
  /** Names of what is left out, fit for a log. */
  readonly leftOut: readonly string[];
}

type Accepts = (value: string) => string | null;

const oneOf =
  (...values: readonly string[]): Accepts =>
  (value) =>
    values.includes(value) ? value : null;
const YES_OR_NO = oneOf('true', 'false');
const GROUPS = oneOf('dev', 'optional', 'peer', 'prod');

/** Nothing of a value is passed on that npm's reader could take for more than its letters. */
const ADDRESS = /^https?:\/\/[A-Za-z0-9.:[\]-]+(\/[A-Za-z0-9._~/-]*)?$/;

function registryAddress(value: string): string | null {
  return ADDRESS.test(value) && URL.canParse(value) ? new URL(value).href : null;
}

const HARMLESS: ReadonlyMap<string, Accepts> = new Map([
  ['registry', registryAddress],
  ['ignore-scripts', oneOf('true')],
  ['omit', GROUPS],
  ['include', GROUPS],
  ['install-strategy', oneOf('hoisted', 'nested', 'shallow')],
  ['loglevel', oneOf('silent', 'error', 'warn', 'notice', 'http', 'info', 'verbose', 'silly')],
  ...[
    'audit',
    'engine-strict',
    'fund',
    'install-links',
    'legacy-peer-deps',
    'optional',
    'prefer-dedupe',
    'progress',
    'save-exact',
    'strict-peer-deps',
    'update-notifier',
  ].map((key): [string, Accepts] => [key, YES_OR_NO]),
]);
const LISTS = ['omit', 'include'];
const SCOPED_REGISTRY = /^@[a-z0-9~-][a-z0-9._~-]*:registry$/i;

export function readProjectNpmrc(source: string): ProjectNpmrc {
  const kept = new Map<string, readonly string[]>();
  const leftOut = new Set<string>();
  let isInSection = false;
  for (const line of source.split(/[\r\n]+/).map((text) => text.trim())) {
    if (line === '' || line.startsWith(';') || line.startsWith('#')) continue;
    // What follows a heading is no setting of npm's.
    if (line.startsWith('[')) isInSection = true;
    const at = line.indexOf('=');
    const name = plain(at === -1 ? line : line.slice(0, at));
    const isList = name.endsWith('[]');
    const key = isList ? name.slice(0, -2) : name;
    const accepts = SCOPED_REGISTRY.test(key) ? registryAddress : HARMLESS.get(key);
    const value = accepts?.(at === -1 ? 'true' : plain(line.slice(at + 1))) ?? null;
    if (isInSection || value === null || (isList && !LISTS.includes(key))) {
      leftOut.add(nameForLog(key, accepts !== undefined));
      // Said twice, it is left out twice: which of them npm would take is not to be guessed.
      kept.set(key, []);
    } else if (kept.get(key)?.length !== 0) {
      kept.set(key, LISTS.includes(key) ? [...(kept.get(key) ?? []), value] : [value]);
    }
  }
  const lines = [...kept].flatMap(([key, values]) =>
    values.map((value) => `${key}${LISTS.includes(key) ? '[]' : ''}=${value}\n`),
  );
  return { text: lines.join(''), leftOut: [...leftOut] };
}

/** Without a pair of quotes and a comment behind. What else npm would unfold fits no harmless value. */
function plain(text: string): string {
  const trimmed = text.trim();
  const quoted = /^"([^"\\]*)"$|^'([^'"\\]*)'$/.exec(trimmed);
  if (quoted) return quoted[1] ?? quoted[2] ?? '';
  return trimmed.replace(/[;#].*$/, '').trim();
}

/** A name can be anything as well, even a token on a line of its own. */
function nameForLog(key: string, isKnown: boolean): string {
  if (isKnown) return key;
  const ofHost = /^\/\/.*:(_authToken|_auth|_password|username|email|certfile|keyfile)$/.exec(key);
  if (ofHost) return `//…:${ofHost[1]}`;
  return /^_?[a-z]+(-[a-z]+){0,4}$/i.test(key) && key.length <= 30 ? key : 'a line of another form';
}

const MAX_NAMED = 12;

/** One line for the log of a build; null: all of it takes part. */
export function tellLeftOut(leftOut: readonly string[]): string | null {
  if (leftOut.length === 0) return null;
  const more = leftOut.length > MAX_NAMED ? ` and ${leftOut.length - MAX_NAMED} more` : '';
  return `.npmrc: left out of the install: ${leftOut.slice(0, MAX_NAMED).join(', ')}${more}`;
}
