// @ts-check
// Serves a release that is plain files, inside the release's sandbox on a unix socket, or in its
// container on a port. The files of a release do not change, so they are listed once: what is not in
// the list does not exist. The list holds no dotfiles and nothing that a symbolic link brings in from
// outside of the root, which is what the well-known static servers leave to their user.
//
// node static-server.mjs SOCKET-OR-PORT DIRECTORY
import { createReadStream, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, sep } from 'node:path';

const MAX_FILES = 100_000;
const MAX_DEPTH = 64;

/** @typedef {{ file: string, sizeBytes: number, modifiedAt: Date, etag: string, type: string }} Entry */

const TYPES = /** @type {Record<string, string>} */ ({
  '.html': 'text/html; charset=utf-8',
  '.htm': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.xml': 'application/xml; charset=utf-8',
  '.rss': 'application/rss+xml; charset=utf-8',
  '.atom': 'application/atom+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.ico': 'image/x-icon',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
  '.otf': 'font/otf',
  '.wasm': 'application/wasm',
  '.pdf': 'application/pdf',
  '.zip': 'application/zip',
  '.gz': 'application/gzip',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.wav': 'audio/wav',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
});

/** Every file to serve, by the decoded path it is asked for with. @param {string} root */
function listFiles(root) {
  /** @type {Map<string, Entry>} */
  const found = new Map();
  /** @param {string} directory @param {string} path @param {number} depth */
  function walk(directory, path, depth) {
    if (depth > MAX_DEPTH) return;
    for (const name of readdirSync(directory).sort()) {
      if (name.startsWith('.') && !(path === '/' && name === '.well-known')) continue;
      if (found.size >= MAX_FILES) return;
      let file;
      let stat;
      try {
        file = realpathSync(join(directory, name));
        if (!file.startsWith(root + sep)) continue;
        stat = statSync(file);
      } catch {
        // A link to nowhere.
        continue;
      }
      // A link to a directory above would repeat itself without end.
      if (stat.isDirectory() && !`${directory}${sep}`.startsWith(`${file}${sep}`))
        walk(file, `${path}${name}/`, depth + 1);
      if (stat.isFile()) {
        found.set(path + name, {
          file,
          sizeBytes: stat.size,
          modifiedAt: new Date(Math.floor(stat.mtimeMs / 1000) * 1000),
          etag: `W/"${stat.size.toString(36)}-${Math.round(stat.mtimeMs).toString(36)}"`,
          type: TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream',
        });
      }
    }
  }
  walk(root, '/', 0);
  return found;
}

/** @param {string} path @param {Map<string, Entry>} files @returns {{ entry: Entry } | { redirect: true } | null} */
function find(path, files) {
  const entry = files.get(path.endsWith('/') ? `${path}index.html` : path);
  if (entry) return { entry };
  if (path.endsWith('/')) return null;
  if (files.has(`${path}/index.html`)) return { redirect: true };
  const page = files.get(`${path}.html`);
  return page ? { entry: page } : null;
}

/** One range of bytes; null: the whole file; `unsatisfiable` as RFC 9110 §14 means it. @param {string | undefined} header @param {number} sizeBytes */
function readRange(header, sizeBytes) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return null;
  const start = match[1] === '' ? Math.max(0, sizeBytes - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? sizeBytes - 1 : Math.min(Number(match[2]), sizeBytes - 1);
  if (start > end || start >= sizeBytes) return 'unsatisfiable';
  return { start, end };
}

/** @param {import('node:http').IncomingMessage} req @param {Entry} entry */
function isFresh(req, entry) {
  const tags = req.headers['if-none-match'];
  if (tags !== undefined) return tags === '*' || tags.split(',').some((tag) => tag.trim() === entry.etag);
  const since = Date.parse(req.headers['if-modified-since'] ?? '');
  return entry.modifiedAt.getTime() <= since;
}

/** @param {import('node:http').IncomingMessage} req @param {import('node:http').ServerResponse} res @param {Entry} entry @param {number} status */
function send(req, res, entry, status) {
  /** @type {Record<string, string | number>} */
  const headers = {
    'content-type': entry.type,
    etag: entry.etag,
    'last-modified': entry.modifiedAt.toUTCString(),
    // The next release may change any of them, so a browser asks each time; an unchanged file costs no body.
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
  };
  if (status === 200 && isFresh(req, entry)) return void res.writeHead(304, headers).end();
  const wantsRange = status === 200 && req.headers['if-range'] === undefined;
  const range = wantsRange ? readRange(req.headers.range, entry.sizeBytes) : null;
  headers['accept-ranges'] = 'bytes';
  if (range === 'unsatisfiable') {
    return void res.writeHead(416, { 'content-range': `bytes */${entry.sizeBytes}` }).end();
  }
  if (range) headers['content-range'] = `bytes ${range.start}-${range.end}/${entry.sizeBytes}`;
  headers['content-length'] = range ? range.end - range.start + 1 : entry.sizeBytes;
  res.writeHead(range ? 206 : status, headers);
  if (req.method === 'HEAD' || headers['content-length'] === 0) return void res.end();
  const stream = createReadStream(entry.file, range ?? {});
  stream.once('error', () => res.destroy());
  res.once('close', () => stream.destroy());
  stream.pipe(res);
}

/** @param {import('node:http').ServerResponse} res @param {number} status @param {string} text @param {Record<string, string>} [headers] */
function say(res, status, text, headers = {}) {
  res.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  res.end(`${text}\n`);
}

const [place = '', directory = ''] = process.argv.slice(2);
const port = /^\d+$/.test(place) ? Number(place) : null;
/** @type {Map<string, Entry>} */
let files;
try {
  files = listFiles(realpathSync(directory));
} catch (error) {
  console.error(`there is no directory to serve: ${/** @type {Error} */ (error).message}`);
  process.exit(1);
}

if (port === null) rmSync(place, { force: true });
const server = createServer((req, res) => {
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    return say(res, 405, 'Only GET and HEAD', { allow: 'GET, HEAD' });
  }
  const [rawPath = '/', query] = (req.url ?? '/').split(/\?(.*)/s);
  let path;
  try {
    path = decodeURIComponent(rawPath);
  } catch {
    return say(res, 400, 'This address cannot be read');
  }
  const found = find(path, files);
  if (found === null) {
    const page = files.get('/404.html');
    return page ? send(req, res, page, 404) : say(res, 404, 'Not found');
  }
  if ('redirect' in found) {
    return say(res, 308, 'Moved', { location: `${rawPath}/${query === undefined ? '' : `?${query}`}` });
  }
  send(req, res, found.entry, 200);
});
if (port === null) server.listen(place);
else server.listen(port);
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
