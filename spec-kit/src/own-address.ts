import type { FindingText } from './finding-list.ts';
import { quoted } from './finding-list.ts';

const EXAMPLE = 'http://devsite:8080/path, or the bare /path';

/**
 * The path and query of an address of the project itself, or what is wrong with the address. Checks
 * look at the project alone: with any other host a spec could send probes to the host's own network.
 */
export function readOwnAddress(url: string): { path: string } | FindingText {
  const bad = (message: string, hint: string): FindingText => ({ code: 'bad_url', message, hint });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the URL parser would drop or trim them unseen.
  if (/[\u0000-\u0020\u007f\\]/.test(url)) {
    return bad(`${quoted(url)} holds a space, control character or backslash.`, 'Write a space as %20.');
  }
  const isBarePath = url.startsWith('/') && !url.startsWith('//');
  if (!isBarePath && !/^https?:\/\//i.test(url)) {
    return bad(`${quoted(url)} is no address.`, `Write ${EXAMPLE}.`);
  }
  let parsed: URL;
  try {
    parsed = new URL(isBarePath ? `http://devsite${url}` : url);
  } catch {
    return bad(`${quoted(url)} is no address.`, `Write ${EXAMPLE}.`);
  }
  if (parsed.protocol !== 'http:') {
    return bad('A release is checked over plain HTTP.', `Write ${EXAMPLE}.`);
  }
  if (parsed.username !== '' || parsed.password !== '') {
    return bad('An address cannot carry a user or password.', 'Send them with `headers`.');
  }
  if (!isOwnHost(parsed.hostname)) {
    return bad(
      `${quoted(parsed.hostname)} is not the project: checks look at the project itself only.`,
      `Write ${EXAMPLE}.`,
    );
  }
  if (url.includes('#')) {
    return bad('The part after # never reaches a server.', 'Leave it out.');
  }
  return { path: parsed.pathname + parsed.search };
}

function isOwnHost(hostname: string): boolean {
  return (
    hostname === 'devsite' ||
    hostname === 'localhost' ||
    hostname === '127.0.0.1' ||
    /^(?:[a-z0-9-]+\.)+localhost$/.test(hostname)
  );
}
