import { CliError } from './failure.ts';

export type IdKind = 'story' | 'task' | 'release' | 'incident' | 'other';

const MADE_ID = /^(st|job|agt|rel|inc|art|tok)_[0-9a-hjkmnp-tv-z]{10}$/;
const KINDS: Readonly<Record<string, IdKind>> = { st: 'story', rel: 'release', inc: 'incident' };

/** What an id names, by its look: what is not made by the box is a task's id. */
export function kindOfId(id: string): IdKind {
  const prefix = MADE_ID.exec(id)?.[1];
  return prefix === undefined ? 'task' : (KINDS[prefix] ?? 'other');
}

/** For commands that act on stories and tasks only. */
export function storyOrTask(id: string, verb: string): 'story' | 'task' {
  const kind = kindOfId(id);
  if (kind === 'story' || kind === 'task') return kind;
  throw new CliError('usage', `${id} is neither a story nor a task.`, {
    hint: `${verb} takes the id of a story (st_…) or of a task; \`./dbox tasks\` lists them.`,
  });
}
