import { createHash } from 'node:crypto';

const MAX_SLUG_CHARACTERS = 60;
export const SLUG_PATTERN = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** An address made from words. The rule is told in `templates/README.md`: planners make the same. */
export function slugOf(text: string, prefix = 'item'): string {
  const slug = plainWords(text).join('-').slice(0, MAX_SLUG_CHARACTERS).replace(/-+$/, '');
  if (slug !== '') return slug;
  return `${prefix}-${createHash('sha256').update(text).digest('hex').slice(0, 6)}`;
}

/** Lower-case words of Latin letters and digits; other scripts leave none. */
function plainWords(text: string): string[] {
  const bare = text.toWellFormed().normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return bare.match(/[a-z0-9]+/g) ?? [];
}

const NO_NOUNS = new Set(
  'a an the and or of for to in on with my our your some all api rest http json service services server backend app application endpoint endpoints resource resources collection simple small new add build make create develop run manage managing management manager store storing system site website data crud tracker list lists'.split(
    ' ',
  ),
);

/** The plural noun that a text seems to be about: its last word that is none of the usual ones. */
export function resourceNameOf(text: string): string {
  const noun = plainWords(text).findLast((word) => !NO_NOUNS.has(word) && /^[a-z]{3,30}$/.test(word));
  return noun === undefined ? 'items' : pluralOf(noun);
}

function pluralOf(noun: string): string {
  if (/s$/.test(noun) && !/(?:ss|us|is)$/.test(noun)) return noun;
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  if (/(?:s|x|z|ch|sh)$/.test(noun)) return `${noun}es`;
  return `${noun}s`;
}

/** Only for texts that people read, so a wrong guess does no harm. */
export function singularOf(slug: string): string {
  if (/ies$/.test(slug) && slug.length > 4) return `${slug.slice(0, -3)}y`;
  if (/(?:ss|x|z|ch|sh)es$/.test(slug)) return slug.slice(0, -2);
  return /[^s]s$/.test(slug) ? slug.slice(0, -1) : slug;
}
