import type { IncomingMessage, ServerResponse } from 'node:http';

/** What the gateway itself says where no release can. */
export type OwnAnswer = 'no_release' | 'no_route' | 'no_answer' | 'too_slow';

const ANSWERS: Record<
  OwnAnswer,
  { readonly status: number; readonly title: string; readonly detail: string; readonly refresh: boolean }
> = {
  no_release: {
    status: 503,
    title: 'Nothing is live here yet',
    detail: 'No release of this project serves this address at the moment. This page looks again by itself.',
    refresh: true,
  },
  no_route: {
    status: 404,
    title: 'No such project',
    detail: 'No project of this box has this address. `dbox project list` names them.',
    refresh: false,
  },
  no_answer: {
    status: 502,
    title: 'The release did not answer',
    detail: 'The release broke the connection or could not be reached. This page looks again by itself.',
    refresh: true,
  },
  too_slow: {
    status: 504,
    title: 'The release took too long',
    detail: 'The release took the request but did not begin to answer.',
    refresh: false,
  },
};
const REFRESH_SECONDS = 2;

/** A small page for people, a problem document for programs. */
export function answerOwn(req: IncomingMessage, res: ServerResponse, kind: OwnAnswer): void {
  const answer = ANSWERS[kind];
  const isForPeople = /\btext\/html\b/.test(req.headers.accept ?? '');
  const body = isForPeople ? page(answer) : problem(kind);
  const headers: Record<string, string | number> = {
    'content-type': isForPeople ? 'text/html; charset=utf-8' : 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    'x-content-type-options': 'nosniff',
  };
  if (answer.refresh) headers['retry-after'] = REFRESH_SECONDS;
  // What is left of the request's body is not read.
  if (!req.complete) headers.connection = 'close';
  res.writeHead(answer.status, headers);
  res.end(req.method === 'HEAD' ? undefined : body);
}

/** The same for a WebSocket that could not be opened. */
export function ownAnswerHead(kind: OwnAnswer): string {
  const body = problem(kind);
  return [
    `HTTP/1.1 ${ANSWERS[kind].status} ${ANSWERS[kind].title}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
    '',
    body,
  ].join('\r\n');
}

function problem(kind: OwnAnswer): string {
  const { status, title, detail } = ANSWERS[kind];
  return JSON.stringify({ type: `urn:dbox:problem:${kind}`, title, status, code: kind, detail });
}

function page({ title, detail, refresh }: (typeof ANSWERS)[OwnAnswer]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${refresh ? `<meta http-equiv="refresh" content="${REFRESH_SECONDS}">\n` : ''}<title>${title}</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto 0; padding: 0 1rem }
</style>
<h1>${title}</h1>
<p>${detail}</p>
</html>
`;
}
