import type { FindingText } from './finding-list.ts';
import { quoted } from './finding-list.ts';

/** Set by whoever sends the request; with these a spec could smuggle a second one. */
const NOT_FOR_SPECS: readonly string[] = [
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'keep-alive',
  'te',
  'trailer',
  'expect',
];

/** Request headers by lower-case name, or the first thing that is wrong with them. */
export function readHeaders(
  written: Readonly<Record<string, string>>,
): { headers: Record<string, string> } | FindingText {
  const headers: Record<string, string> = {};
  const bad = (message: string, hint: string): FindingText => ({ code: 'bad_header', message, hint });
  for (const [writtenName, value] of Object.entries(written)) {
    const name = writtenName.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || name.length > 100) {
      return bad(`${quoted(writtenName)} is no header name.`, 'Write for example `accept: text/html`.');
    }
    if (NOT_FOR_SPECS.includes(name)) {
      return bad(`The header ${quoted(writtenName)} is set by the box.`, 'Leave it out.');
    }
    if (Object.hasOwn(headers, name)) {
      return bad(`The header ${quoted(writtenName)} is written twice.`, 'Upper and lower case are the same.');
    }
    if (!/^[\t\x20-\x7e]*$/.test(value)) {
      return bad(
        `The value of ${quoted(writtenName)} holds a line break or a character outside ASCII.`,
        'Encode it.',
      );
    }
    headers[name] = value;
  }
  return { headers };
}
