import type { Answer } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import type { LogSubject } from '../ports/log-store.ts';
import type { StoreReader } from '../ports/store.ts';
import type { AppContext } from './context.ts';

const SERVICES = ['manager', 'coding', 'testing', 'deployment', 'monitoring', 'gateway'] as const;

type Logs = NonNullable<Answer<'readLogs'>>;

/** Lines of whatever an id names: of a story all its tasks' jobs, of a task all its jobs, each after the other. */
export async function readLogs(
  context: AppContext,
  query: { readonly subject: string; readonly after?: string | undefined; readonly limit: number },
): Promise<Logs> {
  const { sources, ended } = await context.store.read((reader) => sourcesOf(reader, query.subject));
  const cursors = parseCursor(query.after);
  const lines: Logs['lines'] = [];
  for (const source of sources) {
    const room = query.limit - lines.length;
    if (room <= 0) break;
    const read = await context.logs.read(source.subject, {
      after: cursors[source.name] ?? null,
      limit: room,
    });
    cursors[source.name] = read.next;
    lines.push(...read.lines.map((line) => ({ ...line, source: source.name })));
  }
  return {
    lines,
    next: Buffer.from(JSON.stringify(cursors)).toString('base64url'),
    ended: ended && lines.length < query.limit,
  };
}

interface Source {
  readonly name: string;
  readonly subject: LogSubject;
}

async function sourcesOf(reader: StoreReader, id: string): Promise<{ sources: Source[]; ended: boolean }> {
  if ((SERVICES as readonly string[]).includes(id)) {
    return { sources: [{ name: id, subject: { kind: 'service', id } }], ended: false };
  }
  if (/^rel_/.test(id) && (await reader.releases.get(id))) {
    return { sources: [{ name: id, subject: { kind: 'release', id } }], ended: false };
  }
  const job = /^job_/.test(id) ? await reader.jobs.get(id) : null;
  if (job) return { sources: [jobSource(job)], ended: !['queued', 'leased'].includes(job.status) };
  const task = await reader.tasks.get(id);
  if (task) return ofTasks(reader, [task]);
  const story = /^st_/.test(id) ? await reader.stories.get(id) : null;
  if (story) return ofTasks(reader, await reader.tasks.listOfStory(id));
  throw new ProblemError(
    'not_found',
    `nothing with logs is called ${id}; name a story, task, job or release, or one of the services ${SERVICES.join(', ')}`,
  );
}

async function ofTasks(
  reader: StoreReader,
  tasks: readonly { readonly id: string; readonly status: string; readonly integration: string }[],
): Promise<{ sources: Source[]; ended: boolean }> {
  const sources: Source[] = [];
  for (const task of tasks) sources.push(...(await reader.jobs.listOfTask(task.id)).map(jobSource));
  const ended = tasks.every(
    (task) => task.integration === 'landed' || ['failed', 'cancelled', 'blocked'].includes(task.status),
  );
  return { sources, ended };
}

function jobSource(job: {
  readonly id: string;
  readonly kind: string;
  readonly taskId: string | null;
}): Source {
  return { name: `${job.taskId ?? job.id}/${job.kind}/${job.id}`, subject: { kind: 'job', id: job.id } };
}

function parseCursor(after: string | undefined): Record<string, string> {
  if (after === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(Buffer.from(after, 'base64url').toString('utf8'));
    if (typeof parsed === 'object' && parsed !== null) {
      return Object.fromEntries(
        Object.entries(parsed).filter((entry) => typeof entry[1] === 'string'),
      ) as Record<string, string>;
    }
  } catch {
    // Fall through: a cursor nobody gave out.
  }
  throw new ProblemError(
    'invalid_request',
    'this `after` is no cursor of a former answer; leave it out to begin at the start',
  );
}
