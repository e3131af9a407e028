import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const pages = readdirSync(root).filter((name) => name.endsWith('.html'));
const read = (name) => readFileSync(join(root, name), 'utf8');
const site = JSON.parse(read('site.json'));

test('there is a start page and a page for what is not found', () => {
  assert.ok(pages.includes('index.html'));
  assert.ok(pages.includes('404.html'));
});

for (const page of pages) {
  const html = read(page);

  test(`${page} is a whole, readable document`, () => {
    assert.match(html, /^<!doctype html>/i);
    assert.match(html, /<html lang="[a-z-]+">/);
    assert.match(html, /<meta charset="utf-8"/i);
    assert.match(html, /<meta name="viewport"/);
    assert.equal(html.match(/<h1[\s>]/g)?.length, 1, 'exactly one main heading');
    assert.equal(html.match(/<main[\s>]/g)?.length, 1, 'exactly one main part');
    assert.ok(/<title>\s*\S[\s\S]*<\/title>/.test(html), 'a title');
  });

  test(`${page} closes what it opens`, () => {
    assert.deepEqual(unbalanced(html), []);
  });

  test(`${page} runs no scripts and asks no other host for anything`, () => {
    assert.doesNotMatch(tagsOf(html), /<script|\son[a-z]+\s*=/i);
    assert.doesNotMatch(tagsOf(html), /\b(?:src|srcset|action)="(?:https?:)?\/\//i);
    assert.doesNotMatch(tagsOf(html), /<link[^>]+href="(?:https?:)?\/\//i);
  });

  test(`${page} links only to what is there`, () => {
    const ids = new Set([...html.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]));
    for (const [, href] of html.matchAll(/\shref="([^"]*)"/g)) {
      if (/^(?:https?:|mailto:|tel:)/.test(href)) continue;
      const [path, fragment] = href.split('#');
      if (path === '' && fragment) assert.ok(ids.has(fragment), `no id for ${href}`);
      else if (path !== '/') assert.ok(existsSync(join(root, path)), `no file for ${href}`);
    }
  });
}

test('every page is linked from the start page', () => {
  const index = read('index.html');
  for (const page of pages.filter((name) => !['index.html', '404.html'].includes(name))) {
    assert.ok(index.includes(`href="${page}"`), `${page} is not linked`);
  }
});

test('the start page is titled as the site is', () => {
  assert.equal(plain(/<title>([\s\S]*?)<\/title>/.exec(read('index.html'))[1]), site.title);
});

test('the styles serve light and dark, and load nothing', () => {
  const css = read('style.css');
  assert.match(css, /prefers-color-scheme: dark/);
  assert.doesNotMatch(css, /@import|url\(/);
});

/** The tags alone: text may say whatever it likes. */
function tagsOf(html) {
  return (html.match(/<[^>]*>/g) ?? []).join('\n');
}

function plain(html) {
  const entities = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return html.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => entities[name]);
}

/** Tags that are opened but not closed, or the other way round. */
function unbalanced(html) {
  const empty = new Set(['meta', 'link', 'br', 'hr', 'img', 'input', 'source', 'wbr']);
  const open = [];
  const wrong = [];
  for (const [, slash, name] of html.replace(/<!--[\s\S]*?-->/g, '').matchAll(/<(\/?)([a-z][a-z0-9-]*)/gi)) {
    const tag = name.toLowerCase();
    if (empty.has(tag)) continue;
    if (slash === '') open.push(tag);
    else if (open.at(-1) === tag) open.pop();
    else wrong.push(`</${tag}>`);
  }
  return [...wrong, ...open];
}
