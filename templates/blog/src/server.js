import { createServer } from 'node:http';
import { buildSite, makeAnswer } from './site.js';

/** No page needs a script, a frame or anything of another host. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  // Kept, but asked for again each time: a new release shows at once.
  'cache-control': 'no-cache',
};
const HOST = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

export function createBlogServer({ blog, siteUrl }) {
  const site = buildSite(blog);
  const health = makeAnswer('application/json', JSON.stringify({ ok: true, posts: blog.posts.length }));

  function find(path, request) {
    if (path === '/healthz') return health;
    if (path === '/feed.xml') return site.feed(siteUrlOf(request));
    if (path === '/sitemap.xml') return site.sitemap(siteUrlOf(request));
    return site.answers.get(path);
  }

  function siteUrlOf(request) {
    if (siteUrl !== null) return siteUrl.replace(/\/+$/, '');
    const host = request.headers.host ?? '';
    return `http://${HOST.test(host) ? host : 'localhost'}`;
  }

  return createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD', ...HEADERS }).end();
      return;
    }
    const path = readPath(request.url);
    const answer = path === null ? undefined : find(path, request);
    if (answer === undefined && path !== null && site.answers.has(`${path}/`)) {
      response.writeHead(308, { location: `${encodeURI(path)}/`, ...HEADERS }).end();
      return;
    }
    send(request, response, answer ?? site.notFound, answer === undefined ? 404 : 200);
  });
}

/** Null for what is no path, such as a broken escape. */
function readPath(url) {
  try {
    return decodeURIComponent(url.split('?', 1)[0]);
  } catch {
    return null;
  }
}

function send(request, response, answer, status) {
  const headers = { 'content-type': answer.mediaType, etag: answer.etag, ...HEADERS };
  if (status === 200 && request.headers['if-none-match'] === answer.etag) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(status, { ...headers, 'content-length': answer.bytes.length });
  response.end(request.method === 'HEAD' ? undefined : answer.bytes);
}
