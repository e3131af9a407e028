export interface OutputWindow {
  add(chunk: Uint8Array): void;
  read(): { readonly head: string; readonly tail: string; readonly cutBytes: number };
}

/**
 * Keeps the first and the last bytes of an endless stream in memory of a fixed size, copying, so that
 * no chunk is held. Text is cut between characters, never inside one.
 */
export function openOutputWindow(size: {
  readonly headBytes: number;
  readonly tailBytes: number;
}): OutputWindow {
  const head = Buffer.alloc(size.headBytes);
  let headLength = 0;
  let ring: Buffer | null = null;
  let written = 0;

  function add(chunk: Uint8Array): void {
    let rest = chunk;
    if (headLength < head.length) {
      const taken = rest.subarray(0, head.length - headLength);
      head.set(taken, headLength);
      headLength += taken.length;
      rest = rest.subarray(taken.length);
    }
    if (rest.length === 0) return;
    const skipped = Math.max(0, rest.length - size.tailBytes);
    written += skipped;
    rest = rest.subarray(skipped);
    if (size.tailBytes === 0) return;
    ring ??= Buffer.alloc(size.tailBytes);
    const at = written % ring.length;
    const first = rest.subarray(0, ring.length - at);
    ring.set(first, at);
    ring.set(rest.subarray(first.length), 0);
    written += rest.length;
  }

  function tailBytes(): Buffer {
    if (ring === null) return Buffer.alloc(0);
    if (written <= ring.length) return ring.subarray(0, written);
    const at = written % ring.length;
    return Buffer.concat([ring.subarray(at), ring.subarray(0, at)]);
  }

  function read() {
    const tail = tailBytes();
    const cut = written - tail.length;
    const headEnd = endOfWholeCharacters(head.subarray(0, headLength));
    const brokenOff = head.subarray(headEnd, headLength);
    if (cut === 0) {
      const whole = Buffer.concat([brokenOff, tail]);
      return { head: head.toString('utf8', 0, headEnd), tail: whole.toString('utf8'), cutBytes: 0 };
    }
    const tailStart = startOfWholeCharacters(tail);
    return {
      head: head.toString('utf8', 0, headEnd),
      tail: tail.toString('utf8', tailStart),
      cutBytes: cut + brokenOff.length + tailStart,
    };
  }

  return { add, read };
}

/** Where a character that is broken off at the end begins; the length where none is. */
function endOfWholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function startOfWholeCharacters(bytes: Uint8Array): number {
  let at = 0;
  while (at < Math.min(3, bytes.length) && ((bytes[at] as number) & 0xc0) === 0x80) at += 1;
  return at;
}
