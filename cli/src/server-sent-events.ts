/** One message of an event stream; `id` is the last one that was sent, as browsers do it. */
export interface StreamMessage {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** A message longer than this is no event of a box, whose request bodies end at 8 MiB. */
const MAX_MESSAGE_CHARACTERS = 16 * 1024 * 1024;

/** Feeds on text as it arrives, in pieces of any size, and gives the messages that are complete. */
export function createMessageParser(): (text: string) => StreamMessage[] {
  let rest = '';
  let id = '';
  let event = '';
  let data: string[] = [];

  return (text) => {
    const messages: StreamMessage[] = [];
    rest += text;
    if (rest.length > MAX_MESSAGE_CHARACTERS) throw new Error('a message of the event stream has no end');
    // A CR at the very end may be half of a CRLF, so it waits for what follows.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) messages.push({ id, event: event || 'message', data: data.join('\n') });
        event = '';
        data = [];
        continue;
      }
      const colon = line.indexOf(':');
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'id' && !value.includes('\0')) id = value;
      else if (field === 'event') event = value;
      else if (field === 'data') data.push(value);
    }
    return messages;
  };
}
