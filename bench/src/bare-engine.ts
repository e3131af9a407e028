import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOCKET = '/var/run/docker.sock';
const PROBE_EVERY_MS = 5;
const GIVE_UP_MS = 30_000;

/** The whole of it, as the box's own trivial release has it: one file over a cached base. */
const DOCKERFILE = `FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY server.mjs ./
USER node
CMD ["node", "server.mjs"]
`;

export function trivialServer(version: string): string {
  return `import { createServer } from 'node:http';\ncreateServer((_, response) => response.end('version ${version}')).listen(Number(process.env.PORT ?? 8080), process.env.HOST ?? '0.0.0.0');\nprocess.on('SIGTERM', () => process.exit(0));\n`;
}

/**
 * The floor under a release in a container: build, create, start, wait for an answer, route; nothing
 * recorded, confined, smoked or kept. Returns the milliseconds of each round.
 */
export async function measureBareReleases(rounds: number): Promise<number[]> {
  const name = `dbox-bench-${randomBytes(4).toString('hex')}`;
  const directory = await mkdtemp(join(tmpdir(), 'dbox-bench-'));
  const made: { containers: string[]; images: string[] } = { containers: [], images: [] };
  const times: number[] = [];
  try {
    // The first build may bring the base in; it is not counted.
    for (let round = 0; round <= rounds; round++) {
      await writeFile(join(directory, 'server.mjs'), trivialServer(`${name} ${round}`));
      await writeFile(join(directory, 'Dockerfile'), DOCKERFILE);
      const tar = spawnSync('tar', ['-C', directory, '-c', 'Dockerfile', 'server.mjs']).stdout;
      const image = `${name}:${round}`;
      const startedMs = performance.now();
      await engine('POST', `/build?version=2&t=${image}`, tar, 'application/x-tar');
      made.images.push(image);
      const { Id } = (await engine('POST', `/containers/create?name=${name}-${round}`, {
        Image: image,
        HostConfig: { Init: true },
      })) as { Id: string };
      made.containers.push(Id);
      await engine('POST', `/containers/${Id}/start`, null);
      const { NetworkSettings } = (await engine('GET', `/containers/${Id}/json`, null)) as {
        NetworkSettings: { Networks: Record<string, { IPAddress: string }> };
      };
      const address = Object.values(NetworkSettings.Networks)[0]!.IPAddress;
      await untilAnswered(address);
      // A route is an assignment in a proxy that runs already: below what can be seen here.
      if (round > 0) times.push(performance.now() - startedMs);
    }
    return times;
  } finally {
    for (const id of made.containers) await engine('DELETE', `/containers/${id}?force=1&v=1`, null);
    for (const image of made.images) await engine('DELETE', `/images/${image}?force=1`, null);
    await rm(directory, { recursive: true, force: true });
  }
}

export function hasEngine(): Promise<boolean> {
  return engine('GET', '/_ping', null).then(
    () => true,
    () => false,
  );
}

async function untilAnswered(host: string): Promise<void> {
  const endMs = performance.now() + GIVE_UP_MS;
  for (;;) {
    const isThere = await new Promise<boolean>((resolve) => {
      const asked = get({ host, port: 8080, agent: false, timeout: 1_000 }, (answer) => {
        answer.resume();
        resolve(true);
      });
      asked.once('error', () => resolve(false));
      asked.once('timeout', () => asked.destroy());
    });
    if (isThere) return;
    if (performance.now() > endMs) throw new Error('the bare release never answered');
    await new Promise((wake) => setTimeout(wake, PROBE_EVERY_MS));
  }
}

function engine(
  method: string,
  path: string,
  body: object | Buffer | null,
  type = 'application/json',
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const bytes = body === null ? null : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const headers = bytes === null ? {} : { 'content-type': type, 'content-length': bytes.length };
    const sent = request({ socketPath: SOCKET, path: `/v1.44${path}`, method, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.once('end', () => {
        const status = answer.statusCode ?? 0;
        if (status >= 400 || /"errorDetail"/.test(text))
          reject(new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`));
        // A build answers with a stream of messages, which nobody reads here.
        else resolve(text.startsWith('{') && !text.includes('\n{') ? JSON.parse(text) : null);
      });
    });
    sent.once('error', reject);
    sent.end(bytes ?? undefined);
  });
}
