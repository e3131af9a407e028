import { cutAtWord } from './story-text.ts';

const MAX_TITLE_CHARACTERS = 60;
const MAX_PHRASE_CHARACTERS = 400;

const POLITE =
  /^(?:please|kindly|hi|hello|hey|now|then|also|and|next|finally|(?:can|could|would|will) you|i want you to|(?:i|we) (?:want|need|would like|wish)(?: to)?|(?:i|we)['’]d like(?: you)?(?: to)?|let['’]s|let us|help (?:me|us)(?: to)?|(?:it|there|the site|the blog) (?:should|must|needs to|shall) (?:have|be)|it (?:has|needs)|as an? [^,.]{1,60}?, ?)[\s,:!]+/iu;
const VERB =
  /^(?:develop|build|create|make|write|design|code|implement|set ?up|run|deploy|launch|host|start|generate|produce|prepare|provide|publish|ship|add|include|give|release|serve|put(?: up)?|begin|open|get|have)\b\s*(?:(?:,|and|&|then|\/)\s*)*/iu;
const FOR_WHOM = /^(?:me|us)\s+/iu;
const ARTICLE = /^(?:an?|the|my|our|some|another|one more|one|new)\s+/iu;
/** After one of these the phrase says what for or how, no longer what. */
const CONNECTOR =
  /\s+(?:for|about|on|of|with|that|which|who|where|using|to|from|in|so|and then|called|named|titled|entitled|including|plus)\s+|\s*[,;:(–—]\s*|\s+-\s+/iu;
const SUBJECT = /\s(?:about|for|on|of|to)\s+(.+)$/iu;
/** `a service that manages recipes` is for recipes. */
const DOES =
  /\s(?:that|which|to)\s+(?:can\s+|will\s+)?(?:manage|store|track|keep|save|list|serve|handle|collect|share|organi[sz]e)s?\s+(.+)$/iu;
const CLAUSE_END =
  /\s+(?:with|that|which|who|where|using|called|named|titled|entitled|so that|so|and (?:run|deploy|launch|host|publish|ship|add|include|put|make|keep)|including|plus|by|because|in order)\b.*$|\s*[;:(–—].*$|\s+-\s+.*$|,\s*(?:with|that|which|where|including|so|and then)\b.*$/isu;
const NAMED = /\b(?:called|named|titled|entitled)\s+(.+)$/iu;
const QUOTED = /^(?:"([^"]+)"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|'([^']+)'|‘([^’]+)’|`([^`]+)`)/u;
const SUBJECT_VERB =
  /^(?:manag(?:e|ing)|track(?:ing)?|stor(?:e|ing)|keep(?:ing)?(?: track of)?|sav(?:e|ing)|list(?:ing)?|serv(?:e|ing)|shar(?:e|ing)|collect(?:ing)?|organi[sz](?:e|ing)|handl(?:e|ing)|sell(?:ing)?)\s+/iu;
const SERVICE_WORD = /\b(api|service|backend|microservice|server)s?$/iu;

/** What one part of a story asks for, taken apart. */
export interface Phrase {
  /** Without courtesies, verbs and articles at its front, and without its full stop. */
  readonly whole: string;
  /** What is asked for, before it says for what: `REST API`. */
  readonly head: string;
  /** What it is about or for; null where it does not say. */
  readonly subject: string | null;
  /** A name that it gives; null where it gives none. */
  readonly name: string | null;
}

export function readPhrase(part: string): Phrase {
  const line = part.slice(0, MAX_PHRASE_CHARACTERS).trim();
  const whole = stripFront(line).replace(/[\s.!?。！？…,;:]+$/u, '') || line;
  const head = whole.split(CONNECTOR, 1)[0]!.trim() || whole;
  const subject =
    SUBJECT.exec(` ${whole.replace(CLAUSE_END, '')}`)?.[1] ?? DOES.exec(whole)?.[1]?.replace(CLAUSE_END, '');
  return {
    whole,
    head,
    subject: subject === undefined ? null : stripSubject(subject) || null,
    name: givenName(whole),
  };
}

/** `Blog site`, `Bookmarks API`, `Café Müller`: a few words that a person would put on top. Null where there are none. */
export function titleOf(phrase: Phrase): string | null {
  const { whole, head, subject, name } = phrase;
  const chosen = name ?? aboutSubject(head, subject, whole) ?? whole.replace(CLAUSE_END, '');
  const title = cutAtWord(withoutQuotes(chosen.trim()).replace(/\s+/g, ' ').trim(), MAX_TITLE_CHARACTERS);
  return title === '' ? null : capitalize(title.replace(/(?<=\s)api$/u, 'API'));
}

/** Taken off the front as often as something is found: `Please build and run a …`. Never all of it. */
export function stripFront(text: string): string {
  let rest = text;
  for (const pattern of [POLITE, VERB, POLITE, VERB, FOR_WHOM, ARTICLE, ARTICLE]) {
    for (let stripped = rest.replace(pattern, ''); stripped !== rest; stripped = rest.replace(pattern, '')) {
      if (stripped.trim() === '') return rest;
      rest = stripped.trimStart();
    }
  }
  return rest;
}

export function capitalize(text: string): string {
  const [first = '', ...rest] = [...text];
  return first.toUpperCase() + rest.join('');
}

export function unquote(text: string): string {
  const found = QUOTED.exec(text.trim());
  return found === null ? text : (found.slice(1).find((group) => group !== undefined) ?? text);
}

/** Only those around all of it. */
function withoutQuotes(text: string): string {
  const inner = unquote(text);
  return inner.length === text.length - 2 ? inner : text;
}

function aboutSubject(head: string, subject: string | null, whole: string): string | null {
  if (subject === null) return null;
  const service = SERVICE_WORD.exec(head)?.[1];
  if (service !== undefined) {
    const word = service.toLowerCase() === 'api' ? 'API' : service.toLowerCase();
    return `${subject} ${word}`;
  }
  // Only `for` names whom a site belongs to: `a page for Café Müller`, but `a blog about Paris`.
  return /\sfor\s/iu.test(` ${whole.slice(head.length)}`) && /^["“„«‘'\p{Lu}\p{Lo}]/u.test(subject)
    ? subject
    : null;
}

function givenName(whole: string): string | null {
  const rest = NAMED.exec(whole)?.[1];
  if (rest === undefined) return null;
  const quoted = unquote(rest);
  const name =
    quoted === rest ? rest.replace(CLAUSE_END, '').replace(/\s+(?:for|about)\s.*$|[.,].*$/iu, '') : quoted;
  return name.trim() || null;
}

function stripSubject(subject: string): string {
  return subject.replace(SUBJECT_VERB, '').replace(ARTICLE, '').trim();
}
