import { createServer } from 'node:http';
import { indexPage } from './index-page.js';
import { describeApi } from './openapi.js';
import { Problem } from './problem.js';
import { createRecordRoutes } from './record-routes.js';

const MAX_BODY_BYTES = 100 * 1024;
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

const HOST = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

export function createApiServer(api) {
  const description = JSON.stringify(describeApi(api), null, 2);
  const fixed = new Map([
    ['/style.css', { type: 'text/css; charset=utf-8', bytes: api.style }],
    ['/favicon.svg', { type: 'image/svg+xml', bytes: api.icon }],
    ['/openapi.json', { type: 'application/json', bytes: description }],
    ['/healthz', { type: 'application/json', bytes: JSON.stringify({ ok: true }) }],
  ]);
  const routeRecords = createRecordRoutes(api);

  /** Its example calls name the address that was asked for, where that is a name at all. */
  function pageFor(request) {
    const host = request.headers.host ?? '';
    const address = `http://${HOST.test(host) ? host : 'localhost'}`;
    return { type: 'text/html; charset=utf-8', bytes: indexPage(api, address) };
  }

  async function answer(request) {
    const url = new URL(request.url, 'http://localhost');
    const found = url.pathname === '/' ? pageFor(request) : fixed.get(url.pathname);
    if (found !== undefined) {
      if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed('GET, HEAD');
      return { status: 200, headers: { 'content-type': found.type }, bytes: Buffer.from(found.bytes) };
    }
    const {
      status,
      headers = {},
      json,
    } = await routeRecords({
      method: request.method,
      path: url.pathname,
      query: url.searchParams,
      ifMatch: request.headers['if-match'] ?? null,
      readJson: () => readJson(request),
    });
    if (json === undefined) return { status, headers, bytes: Buffer.alloc(0) };
    return {
      status,
      headers: { 'content-type': 'application/json', ...headers },
      bytes: Buffer.from(JSON.stringify(json)),
    };
  }

  return createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, async (request, response) => {
    const { status, headers, bytes } = await answer(request).catch(problemAnswer);
    if (response.destroyed) return;
    // What is left of a body that nobody read must not be taken for the next request.
    const hangUp = request.complete ? {} : { connection: 'close' };
    response.writeHead(status, { ...HEADERS, ...headers, ...hangUp, 'content-length': bytes.length });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  });
}

function notAllowed(allow) {
  return new Problem(405, `use one of ${allow}`, { headers: { allow } });
}

function problemAnswer(error) {
  const isBug = !(error instanceof Problem) && error.code !== 'ERR_INVALID_URL';
  if (isBug) console.error(error);
  const problem =
    error instanceof Problem
      ? error
      : new Problem(isBug ? 500 : 400, isBug ? 'something went wrong here' : 'the address cannot be read');
  return {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', ...problem.more.headers },
    bytes: Buffer.from(JSON.stringify(problem.toBody())),
  };
}

async function readJson(request) {
  // A form of another site can send anything but this type without being asked about it first.
  if (!/^application\/(?:json|merge-patch\+json)\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new Problem(415, 'send the body as application/json');
  }
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) {
      // The rest is read and dropped, or whoever sends it would see a cut connection instead of the answer.
      request.resume();
      throw new Problem(413, `a body may have at most ${MAX_BODY_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw new Problem(400, `the body is no JSON: ${error.message}`);
  }
}
