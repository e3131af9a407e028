import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { type LookupRole, OPERATIONS, type OperationName, type Role } from '@dbox/contracts';
import { createAuthenticator, hashToken, mintToken } from '../auth.ts';
import type { Handlers } from '../handlers.ts';
import { createHttpServer, type HttpServerOptions } from '../server.ts';
import { createManualClock } from './manual-clock.ts';

export const JOB_ID = 'job_0123456789';
export const OTHER_JOB_ID = 'job_9876543210';
const LOOKUP_ROLES: readonly LookupRole[] = [
  'viewer',
  'operator',
  'admin',
  'agent:coding',
  'agent:testing',
  'agent:deployment',
  'agent:monitoring',
  'gateway',
];

/** A real server with one token for each role, whose handlers fail unless a test brings its own. */
export async function startTestServer(
  t: TestContext,
  handlers: Partial<Handlers>,
  more: Partial<HttpServerOptions> = {},
) {
  const clock = createManualClock();
  const logged: { level: string; message: string; data: object | undefined }[] = [];
  const tokens = new Map<Role, string>(LOOKUP_ROLES.map((role) => [role, mintToken(role)]));
  const roleByHash = new Map([...tokens].map(([role, token]) => [hashToken(token), role]));
  const authenticator = createAuthenticator({
    jobKey: new Uint8Array(32).fill(7),
    findByHash: async (hash) => {
      const role = roleByHash.get(hash);
      return role === undefined ? null : { role, revokedAt: null };
    },
  });
  tokens.set('job', authenticator.signJobToken({ jobId: JOB_ID, fence: 3 }));
  const httpServer = createHttpServer({
    handlers: { ...unwrittenHandlers(), ...handlers },
    authenticate: authenticator.authenticate,
    clock,
    log: (level, message, data) => logged.push({ level, message, data }),
    stopGraceMs: 1000,
    ...more,
  });
  const running = await httpServer.listen(0);
  t.after(async () => {
    const closed = running.close();
    clock.advance(1000);
    await closed;
  });
  const url = `http://127.0.0.1:${running.port}`;
  return {
    url,
    clock,
    logged,
    running,
    authenticator,
    listenAgain: httpServer.listen,
    token: (role: Role) => tokens.get(role)!,
    /** A request as that role; null sends no token. */
    call(role: Role | null, method: string, path: string, init: RequestInit = {}): Promise<Response> {
      return fetch(url + path, {
        method,
        ...init,
        headers: {
          ...(role === null ? {} : { authorization: `Bearer ${tokens.get(role)}` }),
          ...(init.headers as Record<string, string>),
        },
      });
    },
    /** Bytes over a bare socket; resolves with all that came back once the server closes the connection. */
    raw: (bytes: string | Uint8Array) => sendRaw(running.port, bytes),
  };
}

function sendRaw(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

function unwrittenHandlers(): Handlers {
  return Object.fromEntries(
    (Object.keys(OPERATIONS) as OperationName[]).map((operation) => [
      operation,
      async () => {
        throw new TypeError(`no handler for ${operation} in this test`);
      },
    ]),
  ) as unknown as Handlers;
}
