import { escapeHtml } from './html.js';

/**
 * Text within a block. It is read once from left to right; every piece is either escaped text or a
 * tag made here, so nothing that was typed can become a tag. Emphasis is matched with a stack, so the
 * time is linear whatever is typed.
 */
export function renderInline(text) {
  return renderEmphasis(readPieces(text, true));
}

const AUTOLINK = /^<((?:https?:\/\/|mailto:)[^\s<>]{1,2000})>/;
const BARE_ADDRESS = /^https?:\/\/[^\s<>"'`*\\]{1,2000}/;
const ESCAPABLE = /[!-/:-@[-`{-~]/;
/** A link longer than this is text. It bounds how far is looked ahead. */
const MAX_LINK_CHARACTERS = 2_500;

/** Pieces: `{html}`, or `{mark, canOpen, canClose}` for what may become emphasis. */
function readPieces(text, withLinks) {
  const pieces = [];
  let plain = '';
  const flush = () => {
    if (plain !== '') pieces.push({ html: escapeHtml(plain) });
    plain = '';
  };
  const add = (html, length) => {
    flush();
    pieces.push({ html });
    at += length;
  };
  let at = 0;
  while (at < text.length) {
    const rest =
      at + MAX_LINK_CHARACTERS < text.length ? text.slice(at, at + MAX_LINK_CHARACTERS) : text.slice(at);
    const character = text[at];
    if (character === '\\' && ESCAPABLE.test(text[at + 1] ?? '')) {
      plain += text[at + 1];
      at += 2;
    } else if (character === '`') {
      const code = readCode(rest);
      if (code === null) {
        const run = /^`+/.exec(rest)[0];
        plain += run;
        at += run.length;
      } else add(code.html, code.length);
    } else if (character === '\n') {
      const isBreak = plain.endsWith('  ') || plain.endsWith('\\');
      plain = plain.endsWith('\\') ? plain.slice(0, -1) : plain.trimEnd();
      add(isBreak ? '<br>\n' : '\n', 1);
    } else if (withLinks && (character === '[' || (character === '!' && text[at + 1] === '['))) {
      const link = readLink(rest);
      if (link === null) {
        plain += character;
        at += 1;
      } else add(link.html, link.length);
    } else if (withLinks && character === '<' && AUTOLINK.test(rest)) {
      const [all, address] = AUTOLINK.exec(rest);
      add(anchor(address, escapeHtml(address.replace(/^mailto:/, ''))), all.length);
    } else if (withLinks && character === 'h' && !/\w/.test(text[at - 1] ?? '') && BARE_ADDRESS.test(rest)) {
      const address = BARE_ADDRESS.exec(rest)[0].replace(/[.,:;!?)\]}]+$/, '');
      add(anchor(address, escapeHtml(address)), address.length);
    } else if (character === '*' || character === '_' || rest.startsWith('~~')) {
      const mark =
        character === '~' ? '~~' : rest.startsWith(character + character) ? character + character : character;
      const before = text[at - 1] ?? ' ';
      const after = text[at + mark.length] ?? ' ';
      const isWord = (side) => /[\p{L}\p{N}]/u.test(side);
      const inWord = character === '_' && isWord(before) && isWord(after);
      flush();
      pieces.push({ mark, canOpen: !/\s/.test(after) && !inWord, canClose: !/\s/.test(before) && !inWord });
      at += mark.length;
    } else {
      plain += character;
      at += 1;
    }
  }
  flush();
  return pieces;
}

const TAGS = { '*': 'em', _: 'em', '**': 'strong', __: 'strong', '~~': 'del' };

/** Marks that find their twin become tags, the others stay text. What is opened inside is closed inside. */
function renderEmphasis(pieces) {
  const out = [];
  const open = [];
  for (const piece of pieces) {
    if (piece.html !== undefined) {
      out.push(piece.html);
      continue;
    }
    const twin = piece.canClose ? open.findLastIndex((other) => other.mark === piece.mark) : -1;
    if (twin !== -1 && open[twin].at !== out.length - 1) {
      out[open[twin].at] = `<${TAGS[piece.mark]}>`;
      out.push(`</${TAGS[piece.mark]}>`);
      open.length = twin;
    } else {
      // Twins are looked for in what is open, so that must stay short.
      if (piece.canOpen && open.length < 32) open.push({ mark: piece.mark, at: out.length });
      out.push(piece.mark);
    }
  }
  return out.join('');
}

function readCode(text) {
  const run = /^`+/.exec(text)[0];
  let from = run.length;
  while (from < text.length) {
    const start = text.indexOf(run, from);
    if (start === -1) return null;
    let end = start;
    while (text[end] === '`') end += 1;
    if (end - start === run.length) {
      const code = text
        .slice(run.length, start)
        .replaceAll('\n', ' ')
        .replace(/^ (.*[^ ].*) $/, '$1');
      return { html: `<code>${escapeHtml(code)}</code>`, length: end };
    }
    from = end;
  }
  return null;
}

/** `[text](address "title")` or `![alt](address)`; null where it is none. */
function readLink(text) {
  const isPicture = text[0] === '!';
  const labelFrom = isPicture ? 2 : 1;
  const labelEnd = closingBracket(text, labelFrom);
  if (labelEnd === -1 || text[labelEnd + 1] !== '(') return null;
  const target =
    /^\(\s*(?:<([^<>\n]*)>|((?:[^\s()\\]|\\.|\([^\s()]*\))*))(?:\s+"((?:[^"\\]|\\.)*)")?\s*\)/.exec(
      text.slice(labelEnd + 1),
    );
  if (target === null) return null;
  const label = text.slice(labelFrom, labelEnd);
  const address = (target[1] ?? target[2]).replace(/\\([!-/:-@[-`{-~])/g, '$1');
  const title = target[3] === undefined ? '' : ` title="${escapeHtml(target[3].replace(/\\(.)/g, '$1'))}"`;
  const length = labelEnd + 1 + target[0].length;
  if (!isSafeAddress(address)) return { html: renderEmphasis(readPieces(label, false)), length };
  if (isPicture) return { html: picture(address, label, title), length };
  return { html: anchor(address, renderEmphasis(readPieces(label, false)), title), length };
}

function closingBracket(text, from) {
  let depth = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '[') depth += 1;
    else if (text[at] === ']') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

/** An address within the site, or one of the web or of mail. Everything else could run code. */
export function isSafeAddress(address) {
  // Browsers drop these before they look for a scheme.
  const bare = address.replace(/[\p{Cc} ]/gu, '');
  return /^(?:https?:|mailto:)/i.test(bare) || !/^[^/?#]*:/.test(bare);
}

function anchor(address, label, title = '') {
  const rel = /^https?:/i.test(address) ? ' rel="noopener nofollow ugc"' : '';
  return `<a href="${escapeHtml(address)}"${title}${rel}>${label}</a>`;
}

/** Pictures of other hosts would tell them who reads; they become links. */
function picture(address, label, title) {
  if (/^(?:[a-z]+:|\/\/)/i.test(address))
    return anchor(address, escapeHtml(label === '' ? address : label), title);
  return `<img src="${escapeHtml(address)}" alt="${escapeHtml(label)}"${title} loading="lazy">`;
}
