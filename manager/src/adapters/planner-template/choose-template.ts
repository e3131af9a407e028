import type { Phrase } from './phrase.ts';
import type { Template } from './template-catalog.ts';

/** Made where nothing in a story speaks for another. */
const FALLBACK = 'simple-static';
/** Any project may be called so; these decide nothing while another word does. */
const WEAK = new Set(['website', 'web site', 'web page', 'site', 'page', 'html', 'static']);
/** How many of a template's keywords, the most telling ones, count anywhere in a story. */
const TELLING = 3;

/** The template that the story's words speak for: first what it asks for, then what it mentions. */
export function chooseTemplate(
  templates: readonly Template[],
  phrase: Phrase,
  storyText: string,
): Template | null {
  const byHead = best(templates, (template) => {
    const index = template.keywords.findIndex((word) => !WEAK.has(word) && mentions(phrase.head, word));
    return index < 0 ? null : index;
  });
  if (byHead !== null) return byHead;
  const byMention = best(templates, (template) => {
    const places = template.keywords
      .slice(0, TELLING)
      .filter((word) => !WEAK.has(word))
      .map((word) => placeOf(storyText, word))
      .filter((place) => place >= 0);
    return places.length === 0 ? null : Math.min(...places);
  });
  return byMention ?? templates.find((template) => template.name === FALLBACK) ?? templates[0] ?? null;
}

export function mentions(text: string, word: string): boolean {
  return placeOf(text, word) >= 0;
}

function placeOf(text: string, word: string): number {
  // `rest` is mostly what is left over; `REST` is not.
  if (word === 'rest') return text.search(/(?<![\p{L}\p{N}])REST(?:ful)?(?![\p{L}\p{N}])/u);
  return text.search(new RegExp(`(?<![\\p{L}\\p{N}])${escapeWord(word)}(?:s|es)?(?![\\p{L}\\p{N}])`, 'iu'));
}

/** For a regular expression that reads Unicode, which refuses escapes that are not needed. */
export function escapeWord(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** The one with the lowest score; the first of equals. */
function best(
  templates: readonly Template[],
  scoreOf: (template: Template) => number | null,
): Template | null {
  let found: { template: Template; score: number } | null = null;
  for (const template of templates) {
    const score = scoreOf(template);
    if (score !== null && (found === null || score < found.score)) found = { template, score };
  }
  return found?.template ?? null;
}
