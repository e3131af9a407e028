/*
 * What BuildKit tells of a build: the engine sends its `StatusResponse` messages (moby/buildkit,
 * api/services/control/control.proto) in base64. Four fields of two of them matter here, so they are
 * read by hand: a protobuf library would be the bigger part of this agent.
 */

export interface BuildStep {
  readonly id: string;
  /** As people see it, e.g. `[2/4] RUN npm ci`. */
  readonly name: string;
  readonly hasStarted: boolean;
  readonly isCached: boolean;
  /** Empty while it has not failed. */
  readonly error: string;
}

export interface BuildLog {
  readonly stepId: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: Buffer;
}

export interface BuildTrace {
  readonly steps: readonly BuildStep[];
  readonly logs: readonly BuildLog[];
}

/** Throws a RangeError on what is no such message. */
export function readBuildTrace(base64: string): BuildTrace {
  const steps: BuildStep[] = [];
  const logs: BuildLog[] = [];
  for (const { number, value } of fieldsOf(Buffer.from(base64, 'base64'))) {
    if (!(value instanceof Buffer)) continue;
    if (number === 1) steps.push(readStep(value));
    if (number === 3) logs.push(readLog(value));
  }
  return { steps, logs };
}

function readStep(message: Buffer): BuildStep {
  let step = { id: '', name: '', hasStarted: false, isCached: false, error: '' };
  for (const { number, value } of fieldsOf(message)) {
    const text = () => value.toString();
    if (number === 1) step = { ...step, id: text() };
    if (number === 3) step = { ...step, name: text() };
    if (number === 4) step = { ...step, isCached: value === 1 };
    if (number === 5) step = { ...step, hasStarted: true };
    if (number === 7) step = { ...step, error: text() };
  }
  return step;
}

function readLog(message: Buffer): BuildLog {
  let stepId = '';
  let stream: BuildLog['stream'] = 'stdout';
  let text: Buffer = Buffer.alloc(0);
  for (const { number, value } of fieldsOf(message)) {
    if (number === 1) stepId = value.toString();
    if (number === 3) stream = value === 2 ? 'stderr' : 'stdout';
    if (number === 4 && value instanceof Buffer) text = value;
  }
  return { stepId, stream, text };
}

/** The fields of a protobuf message: numbers (varint) and bytes; fixed-width ones are skipped. */
function* fieldsOf(message: Buffer): Generator<{ number: number; value: number | Buffer }> {
  let at = 0;
  const readVarint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= message.length) throw new RangeError('a cut message');
      const byte = message[at]!;
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number without end');
  };
  const skip = (bytes: number) => {
    if (at + bytes > message.length) throw new RangeError('a cut message');
    at += bytes;
  };
  while (at < message.length) {
    const tag = readVarint();
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (wire === 0) yield { number, value: readVarint() };
    else if (wire === 2) {
      const length = readVarint();
      const from = at;
      skip(length);
      yield { number, value: message.subarray(from, at) };
    } else if (wire === 1) skip(8);
    else if (wire === 5) skip(4);
    else throw new RangeError('an unknown kind of field');
  }
}
