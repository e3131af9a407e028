import { createHash } from 'node:crypto';

const MAX_SLUG_CHARACTERS = 60;
/** Shorter than a project name may be: it is typed, and stands in addresses. */
const MAX_PROJECT_CHARACTERS = 40;

/** An address made of words, by the rule of `templates/README.md`, which the template engine follows too. */
export function slugOf(text: string): string {
  const slug = plainWords(text).join('-').slice(0, MAX_SLUG_CHARACTERS).replace(/-+$/, '');
  if (slug !== '') return slug;
  return `item-${createHash('sha256').update(text).digest('hex').slice(0, 6)}`;
}

/** A project's name: whole words as far as there is room; `site` where the title has none in Latin letters. */
export function projectNameOf(title: string): string {
  let name = '';
  for (const word of plainWords(title)) {
    const longer = name === '' ? word : `${name}-${word}`;
    if (longer.length > MAX_PROJECT_CHARACTERS) break;
    name = longer;
  }
  // `about-the-rest-of-the` was cut in mid-phrase.
  const whole = name.replace(/(?:-(?:a|an|the|of|for|and|or|to|in|on|with|about))+$/, '');
  return whole || plainWords(title)[0]?.slice(0, MAX_PROJECT_CHARACTERS) || 'site';
}

const NO_NOUNS = new Set(
  'a an the and or of for to in on at by from with my our your their its his her all some any own api apis rest restful http json service services server backend microservice app application endpoint endpoints resource resources route routes collection collections entity entities table tables simple small basic new nice good add build make create develop run manage managing management manager store storing keep keeping track tracking tracker save saving list listing lists read write update delete system site website page data crud persistent please want need that which can'.split(
    ' ',
  ),
);

/** The plural noun that a phrase is about, its last word that may be one; null where it has none in Latin letters. */
export function resourceOf(phrase: string): string | null {
  const noun = plainWords(phrase).findLast((word) => !NO_NOUNS.has(word) && /^[a-z]{3,30}$/.test(word));
  return noun === undefined ? null : pluralOf(noun);
}

function pluralOf(noun: string): string {
  if (/s$/.test(noun) && !/(?:ss|us|is)$/.test(noun)) return noun;
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  if (/(?:s|x|z|ch|sh)$/.test(noun)) return `${noun}es`;
  return `${noun}s`;
}

/** Lower-case words of Latin letters and digits, without their marks; other scripts leave none. */
function plainWords(text: string): string[] {
  const bare = text.toWellFormed().normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return bare.match(/[a-z0-9]+/g) ?? [];
}
