export type EngineErrorCode =
  /** Nobody answers at the socket. */
  | 'absent'
  /** It answers, but is older than what this agent speaks. */
  | 'too_old'
  /** The socket is there and this user may not use it. */
  | 'refused'
  | 'not_found'
  | 'conflict'
  | 'no_space'
  | 'timed_out'
  /** The connection broke: the call may have had its effect. */
  | 'lost'
  | 'failed';

/** What the container engine, or the way to it, said no with. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
  }
}

export function hasCode(error: unknown, ...codes: readonly EngineErrorCode[]): boolean {
  return error instanceof EngineError && codes.includes(error.code);
}

/** A failure of the socket itself, in the words of what to do about it. */
export function errorOfSocket(error: NodeJS.ErrnoException, o: { socketPath: string; what: string }) {
  const { code } = error;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    const message = `no container engine answers at ${o.socketPath}: install Docker Engine 25 or newer and start it`;
    return new EngineError('absent', message, { cause: error });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    const message = `this user may not use the container engine at ${o.socketPath}: give it the socket's group`;
    return new EngineError('refused', message, { cause: error });
  }
  return new EngineError('lost', `the connection to the container engine broke while ${o.what}`, {
    cause: error,
  });
}

const NO_SPACE = /no space left on device|disk quota exceeded/i;

/** An answer of the engine that is no success. */
export function errorOfAnswer(o: { status: number; body: string; what: string }): EngineError {
  const said = saidIn(o.body);
  const message = `the container engine refused ${o.what}: ${said}`;
  if (NO_SPACE.test(said)) return new EngineError('no_space', `the disk is full (${message})`);
  if (o.status === 404) return new EngineError('not_found', message);
  if (o.status === 409) return new EngineError('conflict', message);
  if (o.status === 400 && /client version .* is too new/i.test(said)) {
    return new EngineError('too_old', `the container engine is too old (${said}): install Docker Engine 25`);
  }
  return new EngineError('failed', message);
}

function saidIn(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === 'string') return message.slice(0, 2_000);
  } catch {
    // Not JSON: a proxy, or the engine in trouble.
  }
  return body.slice(0, 500) || 'no reason given';
}
