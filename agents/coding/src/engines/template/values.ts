import { cleanLine, cleanText, summarize, withoutAsking } from './clean-text.ts';
import { resourceNameOf, SLUG_PATTERN, singularOf, slugOf } from './slug.ts';

export interface ValuesRequest {
  /** As the task's input has them. */
  readonly given: Readonly<Record<string, string>>;
  readonly taskTitle: string;
  readonly storyText: string;
  readonly project: string;
  readonly createdAt: string;
  /** What a project that is extended says of itself; it goes before what is given. */
  readonly site: { readonly title?: string; readonly topic?: string; readonly project?: string } | null;
  /** What stands below the title where the story says no more than the title does. */
  readonly lead: string;
}

/** Everything a placeholder can name. */
export type TemplateValues = Readonly<Record<string, string>>;

/** A page of text is about 3,000 characters; a story may have twenty. */
const MAX_TEXT_CHARACTERS = 65_536;
const MAX_TITLE_CHARACTERS = 120;
const DAY_MS = 24 * 60 * 60 * 1000;

export function makeValues(o: ValuesRequest): TemplateValues {
  const { given, site } = o;
  const line = (text: string | undefined, fallback: string) => {
    const cleaned = cleanLine(text ?? '', MAX_TITLE_CHARACTERS);
    return cleaned === '' ? fallback : cleaned;
  };
  const title = line(site?.title ?? given.title, line(o.taskTitle, 'A new site'));
  const topic = line(site?.topic ?? given.topic, title);
  const storyText = cleanText(given.storyText ?? o.storyText, MAX_TEXT_CHARACTERS) || title;
  const asked = withoutAsking(summarize(storyText, 160));
  const itemTitle = line(given.itemTitle, line(o.taskTitle, title));
  const itemText = cleanText(given.itemText ?? '', MAX_TEXT_CHARACTERS) || storyText;
  const itemSlug = chosenSlug(given.itemSlug) ?? slugOf(itemTitle);
  const resource = chosenSlug(given.resource) ?? resourceNameOf(given.topic ?? title);
  const madeMs = Date.parse(o.createdAt);
  return {
    title,
    topic,
    topicTag: cleanLine(topic, 40).toLowerCase(),
    projectName: slugOf(site?.project ?? given.projectName ?? o.project, 'project')
      .slice(0, 48)
      .replace(/-$/, ''),
    storyText,
    summary: saysTheSame(asked, title) ? o.lead : asked,
    itemTitle,
    itemText,
    itemSummary: summarize(itemText, 160),
    itemSlug,
    itemSingular: singularOf(itemSlug),
    resource,
    resourceSingular: singularOf(resource),
    resourceTitle: resource.slice(0, 1).toUpperCase() + resource.slice(1).replaceAll('-', ' '),
    date: dayOf(madeMs),
    dayBefore: dayOf(madeMs - DAY_MS),
  };
}

/** "A blog site." below "Blog site" is no description. */
function saysTheSame(text: string, title: string): boolean {
  const bare = (words: string) =>
    words
      .toLowerCase()
      .replace(/^(?:an?|the|our|my|some) /, '')
      .replace(/[.!?。！？]$/u, '');
  return bare(text) === bare(title);
}

function chosenSlug(text: string | undefined): string | null {
  return text !== undefined && text.length <= 60 && SLUG_PATTERN.test(text) ? text : null;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
