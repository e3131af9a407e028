import { escapeHtml } from './html.js';
import { renderInline } from './markdown-inline.js';

/** Deeper nesting of quotes and lists is shown as text: nobody writes it, and it costs stack. */
const MAX_DEPTH = 8;

/**
 * Markdown as people write it in posts: headings, paragraphs, lists, quotations, code, tables, rules.
 * Whatever the text holds, the result has no tags and no addresses but those made here.
 */
export function renderMarkdown(text) {
  const lines = text.replaceAll('\r\n', '\n').replaceAll('\t', '    ').split('\n');
  return renderBlocks(lines, 0, new Set());
}

function renderBlocks(lines, depth, ids) {
  const out = [];
  let at = 0;
  while (at < lines.length) {
    if (isBlank(lines[at])) {
      at += 1;
      continue;
    }
    const block = BLOCKS.map((read) => read(lines, at, depth, ids)).find((found) => found !== null);
    const { html, next } = block ?? readParagraph(lines, at);
    out.push(html);
    at = next;
  }
  return out.join('\n');
}

const BLOCKS = [readFence, readHeading, readRule, readQuote, readList, readTable];

function readFence(lines, at) {
  const open = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(lines[at]);
  if (open === null || (open[1][0] === '`' && open[2].includes('`'))) return null;
  const close = new RegExp(`^ {0,3}${open[1][0]}{${open[1].length},}\\s*$`);
  let end = at + 1;
  while (end < lines.length && !close.test(lines[end])) end += 1;
  const code = lines.slice(at + 1, end).join('\n');
  const word = /^\s*([\w+-]*)/.exec(open[2])[1];
  const language = word === '' ? '' : ` class="language-${escapeHtml(word)}"`;
  return { html: `<pre tabindex="0"><code${language}>${escapeHtml(code)}\n</code></pre>`, next: end + 1 };
}

function readHeading(lines, at, _depth, ids) {
  const match = /^ {0,3}(#{1,6})\s+(\S.*)$/.exec(lines[at]);
  if (match === null) return null;
  const title = withoutClosingHashes(match[2]);
  // The page's own title is its h1, so a post begins at h2.
  const level = Math.min(6, Math.max(2, match[1].length));
  const id = freeId(slugOf(title), ids);
  return { html: `<h${level} id="${id}" dir="auto">${renderInline(title)}</h${level}>`, next: at + 1 };
}

/** By hand: patterns for the end of a line take quadratic time on hostile ones. */
function withoutClosingHashes(text) {
  const whole = text.trimEnd();
  let end = whole.length;
  while (whole[end - 1] === '#') end -= 1;
  return end < whole.length && whole[end - 1] === ' ' ? whole.slice(0, end).trimEnd() : whole;
}

function readRule(lines, at) {
  return /^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/.test(lines[at])
    ? { html: '<hr>', next: at + 1 }
    : null;
}

function readQuote(lines, at, depth, ids) {
  const prefix = /^ {0,3}> ?/;
  if (!prefix.test(lines[at]) || depth >= MAX_DEPTH) return null;
  let end = at;
  while (end < lines.length && prefix.test(lines[end])) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(prefix, ''));
  return { html: `<blockquote>\n${renderBlocks(inner, depth + 1, ids)}\n</blockquote>`, next: end };
}

const ITEM = /^( *)(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/;

function readList(lines, at, depth, ids) {
  const first = ITEM.exec(lines[at]);
  if (first === null || first[1].length > 3 || depth >= MAX_DEPTH) return null;
  const isOrdered = first[3] !== undefined;
  const items = [];
  let next = at;
  while (next < lines.length) {
    const item = ITEM.exec(lines[next]);
    if (item === null || item[1].length > 3 || (item[3] !== undefined) !== isOrdered) break;
    const { content, end } = readItem(lines, next, item);
    items.push(content);
    next = end;
  }
  const isLoose = items.some((item) => item.slice(0, -1).some(isBlank));
  const html = items.map((item) => `<li dir="auto">${renderItem(item, isLoose, depth, ids)}</li>`).join('\n');
  const start = isOrdered && first[3] !== '1' ? ` start="${Number(first[3])}"` : '';
  return { html: isOrdered ? `<ol${start}>\n${html}\n</ol>` : `<ul>\n${html}\n</ul>`, next };
}

/** An item goes on over lines that are indented below its text, over blank lines between such, and over plain lines right after it. */
function readItem(lines, at, item) {
  const content = [item[4]];
  let end = at + 1;
  while (end < lines.length) {
    if (isBlank(lines[end])) {
      if (!/^ {2,}\S/.test(lines[end + 1] ?? '')) break;
      content.push('');
    } else if (/^ {2,}/.test(lines[end]) && !(ITEM.exec(lines[end])?.[1].length < 2)) {
      content.push(lines[end].replace(/^ {2,4}/, ''));
    } else if (!isBlank(lines[end - 1]) && !ITEM.test(lines[end]) && !interrupts(lines, end)) {
      content.push(lines[end]);
    } else {
      break;
    }
    end += 1;
  }
  // Blank lines between items belong to the list.
  while (end < lines.length && isBlank(lines[end]) && ITEM.test(lines[end + 1] ?? '')) end += 1;
  return { content, end };
}

function renderItem(item, isLoose, depth, ids) {
  if (isLoose) return renderBlocks(item, depth + 1, ids);
  const split = item.findIndex((_, index) => index > 0 && interrupts(item, index));
  const text = split === -1 ? item : item.slice(0, split);
  const rest = split === -1 ? '' : `\n${renderBlocks(item.slice(split), depth + 1, ids)}`;
  return renderInline(text.join('\n')) + rest;
}

function readTable(lines, at) {
  const isRule = /^ {0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
  if (!lines[at].includes('|') || !(lines[at + 1] ?? '').includes('|') || !isRule.test(lines[at + 1]))
    return null;
  const head = cellsOf(lines[at]);
  let end = at + 2;
  while (end < lines.length && lines[end].includes('|') && !isBlank(lines[end])) end += 1;
  const row = (cells, tag) =>
    `<tr>${head.map((_, index) => `<${tag} dir="auto">${renderInline(cells[index] ?? '')}</${tag}>`).join('')}</tr>`;
  const body = lines.slice(at + 2, end).map((line) => row(cellsOf(line), 'td'));
  const table = `<table>\n<thead>${row(head, 'th')}</thead>\n<tbody>${body.join('\n')}</tbody>\n</table>`;
  return {
    html: `<div class="table" role="region" aria-label="Table" tabindex="0">${table}</div>`,
    next: end,
  };
}

/** At bars, but neither at escaped ones nor at those in code. */
function cellsOf(line) {
  const inner = line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return (inner.match(/(?:`[^`]*`|\\\||[^|])+/g) ?? []).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function readParagraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && !isBlank(lines[end]) && !interrupts(lines, end)) end += 1;
  const text = lines.slice(at, end).map((line) => line.trimStart());
  return { html: `<p dir="auto">${renderInline(text.join('\n'))}</p>`, next: end };
}

/** What ends a paragraph without a blank line before it. A numbered list only where it begins with 1. */
function interrupts(lines, at) {
  const item = ITEM.exec(lines[at]);
  if (item !== null) return item[3] === undefined || item[3] === '1';
  return /^ {0,3}(?:`{3}|~{3}|#{1,6}\s|>)/.test(lines[at]) || readRule(lines, at) !== null;
}

function isBlank(line) {
  return line.trim() === '';
}

export function slugOf(text) {
  const slug = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  return slug === '' ? 'part' : slug;
}

function freeId(slug, ids) {
  let id = slug;
  for (let n = 2; ids.has(id); n += 1) id = `${slug}-${n}`;
  ids.add(id);
  return id;
}
