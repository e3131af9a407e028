import { extname } from 'node:path';
import type { TemplateValues } from './values.ts';

/** The kinds of file that placeholders are filled in; every other one is copied byte for byte. */
const FORMATS = { '.html': 'html', '.json': 'json', '.md': 'markdown' } as const;
type Format = (typeof FORMATS)[keyof typeof FORMATS];
const PLACEHOLDER = /\{\{([a-zA-Z]+)(?:\|([a-z]+))?\}\}/g;

export function formatOf(path: string): Format | null {
  return FORMATS[extname(path) as keyof typeof FORMATS] ?? null;
}

/** Puts values in, each escaped for where it stands. They are put in once: what a value holds is never read for placeholders. */
export function fillPlaceholders(text: string, format: Format, values: TemplateValues): string {
  return text.replace(PLACEHOLDER, (all, name: string, filter: string | undefined) => {
    if (!Object.hasOwn(values, name)) throw new Error(`there is no value for ${all}`);
    return FILTERS[filter ?? 'line']?.(values[name]!, format) ?? fail(all);
  });
}

/** For a file's own name: only slugs and dates, which no one can break out of. */
export function fillPath(path: string, values: TemplateValues): string {
  return path.replace(PLACEHOLDER, (all, name: string) => {
    const value = values[name] ?? '';
    return /^[a-z0-9-]+$/.test(value) ? value : fail(all);
  });
}

function fail(placeholder: string): never {
  throw new Error(`${placeholder} cannot be used here`);
}

type Filter = (value: string, format: Format) => string;

const FILTERS: Readonly<Record<string, Filter>> = {
  line: (value, format) => LINE[format](value.replace(/\s+/g, ' ')),
  json: (value) => JSON.stringify(value.replace(/\s+/g, ' ')),
  markdown: (value) => value,
  quote: (value) =>
    value
      .split('\n')
      .map((line) => `> ${escapeMarkdown(line)}`.trimEnd())
      .join('\n'),
  paragraphs: (value, format) => {
    const paragraphs = value.split(/\n{2,}/).map((paragraph) => paragraph.split('\n'));
    if (format === 'markdown')
      return paragraphs.map((lines) => lines.map(escapeMarkdown).join('\n')).join('\n\n');
    return paragraphs
      .map((lines) => `        <p dir="auto">${lines.map(escapeHtml).join('<br />')}</p>`)
      .join('\n');
  },
};

const LINE: Readonly<Record<Format, (line: string) => string>> = {
  html: escapeHtml,
  json: (line) => JSON.stringify(line).slice(1, -1),
  markdown: escapeMarkdown,
};

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Safe between tags and in quoted attributes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** One line of plain text: neither marks inside of it nor ones that only count at its beginning. */
function escapeMarkdown(line: string): string {
  return line
    .trimStart()
    .replace(/[\\`*_[\]<>&~|$]/g, '\\$&')
    .replace(/^([#+=:-])/, '\\$1')
    .replace(/^(\d{1,9})([.)])/, '$1\\$2');
}
