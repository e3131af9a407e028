import { escapeWord } from './choose-template.ts';
import { capitalize, readPhrase, stripFront, unquote } from './phrase.ts';
import { cleanLine, cutAtWord, type StoryPart } from './story-text.ts';

const MAX_TITLE_CHARACTERS = 60;
/** Those of a template's words that are no nouns: `write` asks for a post but names none. */
const NOT_NOUNS = new Set(['write', 'publish', 'about', 'contact', 'imprint']);
const ADD_VERB = /^(?:(?:please|also|and|then|now|next|finally)[\s,]+)*(?:add|include|write|publish)\b/iu;
const MAKE_VERB =
  /^(?:(?:please|also|and|then|now|next|finally|it|there|we|i|the site|the blog|should|must|needs?|wants?|has|have|with|to)[\s,]+)*(?:create|make|build|put|provide|give|have|with|be|contain|need|want|show)\b/iu;
const DEMAND = /\b(?:must|should|shall|is|are|be|can|cannot|will|has|have|use|uses|not|no|never|always)\b/iu;
const CLAUSE_END = /\s+(?:with|that|which|who|where|using|so that|so|to)\s.*$|\s*[;(–—].*$|\.\s.*$/isu;

/** One more page, post or resource that a story asks for. */
export interface AskedItem {
  readonly title: string;
  /** The words it was asked for with. */
  readonly text: string;
}

/** What a part that is not the story's first asks to add; empty where it only describes. */
export function itemsOfPart(part: StoryPart, keywords: readonly string[]): AskedItem[] {
  const nouns = nounsOf(keywords);
  const hasNoun = nouns.test(part.text);
  const asks =
    ADD_VERB.test(part.text) ||
    (MAKE_VERB.test(part.text) && hasNoun) ||
    (part.kind === 'item' && (hasNoun || isShortName(part.text)));
  return asks ? itemsNamed(part.text, keywords) : [];
}

/** What a story's first part asks for beside the project itself: `with posts about tea and coffee`. */
export function itemsBesideProject(part: string, keywords: readonly string[]): AskedItem[] {
  const beside = /\s(?:with|including|plus)\s+(.+)$/isu.exec(part)?.[1];
  if (beside === undefined || !nounsOf(keywords).test(beside)) return [];
  return itemsNamed(beside, keywords);
}

/** The titles in words like `posts about tea and coffee`, `an about page and a contact page`, `a page called "Team"`. */
export function itemsNamed(text: string, keywords: readonly string[]): AskedItem[] {
  const noun = nounSource(keywords);
  const bare = stripFront(text.slice(0, 400)).replace(/[\s.!?。！？…,;:]+$/u, '');
  const several =
    new RegExp(
      `^(?:[\\p{L}\\p{N}-]+\\s+){0,3}(?:${noun})(?:s|es)(?:\\s+(?:about|on|for|called|named|titled|of|are)|:)\\s+(.+)$`,
      'iu',
    ).exec(bare)?.[1] ?? new RegExp(`^(.+?)\\s+(?:${noun})(?:s|es)$`, 'iu').exec(bare)?.[1];
  if (several !== undefined) return titlesOf(splitList(several), text);
  const parts = splitList(bare);
  if (parts.length > 1 && parts.every((part) => nounsOf(keywords).test(part))) {
    return titlesOf(
      parts.map((part) => singleTitle(part, noun)),
      text,
    );
  }
  return titlesOf([singleTitle(bare, noun)], text);
}

/** Parts of `tea, coffee and cake`; whole where it is no list of short names. */
export function splitList(text: string): string[] {
  const parts = text
    .replace(CLAUSE_END, '')
    .split(/\s*(?:[,;、]|(?:^|\s)(?:and|und|et|y)(?=\s)|\s&\s)\s*/iu)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return parts.every((part) => part.split(/\s+/).length <= 6) ? parts : [text];
}

function singleTitle(text: string, noun: string): string {
  const bare = stripFront(text);
  const after = new RegExp(
    `^(?:.*\\s)?(?:${noun})\\s+(?:about|on|for|called|named|titled|of)\\s+(.+)$`,
    'iu',
  ).exec(bare)?.[1];
  if (after !== undefined) return readPhrase(after).name ?? unquote(after);
  const before = new RegExp(`^(.+?)\\s+(?:${noun})(?:\\s.*)?$`, 'iu').exec(bare)?.[1];
  return before ?? bare;
}

function titlesOf(titles: readonly string[], text: string): AskedItem[] {
  const items: AskedItem[] = [];
  for (const title of titles) {
    const short = stripFront(unquote(title.trim()))
      .replace(CLAUSE_END, '')
      .replace(/[\s.!?,;:]+$/u, '');
    const line = capitalize(cutAtWord(cleanLine(short, 200), MAX_TITLE_CHARACTERS));
    if (/[\p{L}\p{N}]/u.test(line)) items.push({ title: line, text });
  }
  return items;
}

function isShortName(text: string): boolean {
  return text.split(/\s+/).length <= 5 && !DEMAND.test(text);
}

function nounsOf(keywords: readonly string[]): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${nounSource(keywords)})(?:s|es)?(?![\\p{L}\\p{N}])`, 'iu');
}

function nounSource(keywords: readonly string[]): string {
  const nouns = keywords.filter((word) => !NOT_NOUNS.has(word)).map((word) => escapeWord(word));
  // Of `entry` people write `entries`.
  const plurals = nouns.filter((word) => word.endsWith('y')).map((word) => `${word.slice(0, -1)}ie`);
  return [...nouns, ...plurals].join('|') || '(?!)';
}
