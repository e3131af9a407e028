import type { Event } from '@dbox/contracts';
import type { Box } from './box.ts';

/** Every event of a running box, in their order. */
export async function readEvents(box: Box): Promise<Event[]> {
  const { stdout } = await box.ok(['events', '--json']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);
}

/** What in a ledger cannot be: each finding is a sentence, none means that all was done once and in order. */
export function findDoubles(events: readonly Event[]): string[] {
  const findings: string[] = [];
  const fences = new Map<string, number>();
  const ended = new Set<string>();
  const committed = new Set<string>();
  for (const [index, event] of events.entries()) {
    const { seq, type, subject, data } = event;
    if (seq !== index + 1) findings.push(`event ${index + 1} has the number ${seq}`);
    const fence = Number(data.fence ?? 0);
    if (type === 'job.leased') {
      const former = fences.get(subject) ?? 0;
      if (fence !== former + 1) findings.push(`${subject} was leased with fence ${fence} after ${former}`);
      if (ended.has(subject)) findings.push(`${subject} was leased after its end`);
      fences.set(subject, fence);
    }
    if (type === 'commit.received' || type === 'job.succeeded' || type === 'job.failed') {
      if (fence !== fences.get(subject)) {
        findings.push(
          `${type} of ${subject} came under fence ${fence}, its lease had ${fences.get(subject)}`,
        );
      }
      if (ended.has(subject)) findings.push(`${type} of ${subject} came after its end`);
    }
    if (['job.succeeded', 'job.failed', 'job.cancelled'].includes(type)) {
      if (ended.has(subject)) findings.push(`${subject} ended twice`);
      ended.add(subject);
    }
    if (type === 'attempt.committed') {
      const attempt = `attempt ${data.attempt} of ${subject}`;
      if (committed.has(attempt)) findings.push(`${attempt} was accepted twice`);
      committed.add(attempt);
    }
  }
  return findings;
}
