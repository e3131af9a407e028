import type { Problem, ProblemCode } from './errors.ts';
import { PROBLEM_STATUS, ProblemError } from './errors.ts';
import type { OperationName } from './operations.ts';
import { OPERATIONS } from './operations.ts';
import type { Answer, BodyInput, Params, QueryInput } from './routes.ts';

/** The box cannot be reached, or what answered is no box. Whether the call took effect is unknown. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

type Given<K extends string, V> = V extends undefined
  ? { readonly [P in K]?: undefined }
  : { readonly [P in K]: V };
type OptionalGiven<K extends string, V> = { readonly [P in K]?: V | undefined };

export type CallOptions<K extends OperationName> = Given<'params', Params<K>> &
  OptionalGiven<'query', QueryInput<K>> &
  OptionalGiven<'body', BodyInput<K>> & {
    readonly headers?: Readonly<Record<string, string>> | undefined;
    readonly signal?: AbortSignal | undefined;
  };

export type RawBytes = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

export interface RawBody {
  readonly rawBody?: RawBytes | undefined;
}

export interface ClientOptions {
  /** `http://127.0.0.1:7700`, without a path. */
  readonly baseUrl: string;
  /** Bearer token; null for calls that need none. */
  readonly token: string | null;
}

/** One HTTP call per method call and no retries: whoever knows whether a repeat is safe does that. */
export interface Client {
  /** The JSON answer, or `null` for 204. Throws `ProblemError` for a problem document, `UnreachableError` else. */
  call<K extends OperationName>(operation: K, options?: CallOptions<K> & RawBody): Promise<Answer<K> | null>;
  /** The response itself, for bytes, text and event streams. Its body must be read or cancelled. */
  raw<K extends OperationName>(operation: K, options?: CallOptions<K> & RawBody): Promise<Response>;
  withToken(token: string): Client;
}

export function createClient(options: ClientOptions): Client {
  async function raw<K extends OperationName>(
    operation: K,
    given?: CallOptions<K> & RawBody,
  ): Promise<Response> {
    const [method, pattern] = OPERATIONS[operation];
    const url = new URL(fillPath(pattern, given?.params as object | undefined), options.baseUrl);
    for (const [key, value] of Object.entries(given?.query ?? {})) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    const headers: Record<string, string> = { ...given?.headers };
    if (options.token !== null) headers.authorization = `Bearer ${options.token}`;
    let body: RawBytes | undefined = given?.rawBody;
    if (given?.body !== undefined) {
      body = JSON.stringify(given.body);
      headers['content-type'] = 'application/json';
    } else if (body !== undefined && headers['content-type'] === undefined) {
      headers['content-type'] = 'application/octet-stream';
    }
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
        ...(given?.signal ? { signal: given.signal } : {}),
      } as RequestInit);
    } catch (cause) {
      if (given?.signal?.aborted) throw given.signal.reason;
      throw new UnreachableError(`${method} ${url.origin}${url.pathname} did not answer`, { cause });
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  async function call<K extends OperationName>(
    operation: K,
    given?: CallOptions<K> & RawBody,
  ): Promise<Answer<K> | null> {
    const response = await raw(operation, given);
    if (response.status === 204) {
      await response.body?.cancel();
      return null;
    }
    try {
      return (await response.json()) as Answer<K>;
    } catch (cause) {
      throw new UnreachableError(`the answer to ${operation} broke off`, { cause });
    }
  }

  return { call, raw, withToken: (token) => createClient({ ...options, token }) };
}

function fillPath(pattern: string, params: object | undefined): string {
  return pattern.replaceAll(/:([a-zA-Z]+)/g, (_, key: string) => {
    const value = (params as Record<string, unknown> | undefined)?.[key];
    if (typeof value !== 'string') throw new TypeError(`${pattern} needs the parameter ${key}`);
    return encodeURIComponent(value);
  });
}

async function problemOf(response: Response): Promise<Error> {
  const text = await response.text().catch(() => '');
  try {
    const problem = JSON.parse(text) as Problem;
    if (problem.code in PROBLEM_STATUS) {
      return new ProblemError(problem.code as ProblemCode, problem.detail, {
        ...(problem.findings ? { findings: problem.findings } : {}),
        ...(problem.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: problem.retryAfterSeconds }),
      });
    }
  } catch {
    // No problem document: something else than a box answered.
  }
  return new UnreachableError(`HTTP ${response.status} without a problem document: ${text.slice(0, 200)}`);
}
