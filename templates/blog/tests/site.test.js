import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadBlog, readPost } from '../src/blog.js';
import { buildSite } from '../src/site.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const blog = await loadBlog(root);
const built = buildSite(blog);
const pages = [...built.answers]
  .filter(([, answer]) => answer.mediaType.startsWith('text/html'))
  .map(([path, answer]) => [path, answer.bytes.toString()]);

test('every post has a page, and the index shows the newest first', () => {
  assert.ok(blog.posts.length > 0);
  for (const post of blog.posts) assert.ok(built.answers.has(`/posts/${post.slug}/`), post.slug);
  const dates = blog.posts.map(({ date }) => date);
  assert.deepEqual(dates, [...dates].sort().reverse());
});

test('every page is whole, has one main heading and runs no script', () => {
  for (const [path, html] of pages) {
    assert.match(html, /^<!doctype html>/, path);
    assert.equal(html.match(/<h1[ >]/g)?.length, 1, path);
    assert.equal(html.match(/<main[ >]/g)?.length, 1, path);
    const tags = html.match(/<[^>]*>/g).join('\n');
    assert.doesNotMatch(tags, /<script|<iframe|\son[a-z]+=|undefined|\[object/i, path);
    assert.doesNotMatch(
      tags,
      /<(?:img|link)[^>]+(?:src|href)="(?:https?:)?\/\//i,
      `${path} asks another host`,
    );
  }
});

test('every link within the site leads somewhere', () => {
  const known = new Set([...built.answers.keys(), '/feed.xml', '/sitemap.xml', '/healthz']);
  for (const [path, html] of pages) {
    for (const [, href] of html.matchAll(/ (?:href|src)="(\/[^"#]*)/g))
      assert.ok(known.has(decodeURI(href)), `${path} links to ${href}`);
  }
});

test("the feed and the sitemap name every post under the site's own name", () => {
  const feed = built.feed('https://example.org').bytes.toString();
  const map = built.sitemap('https://example.org').bytes.toString();
  for (const { slug } of blog.posts.slice(0, 20))
    assert.ok(feed.includes(`<link>https://example.org/posts/${slug}/</link>`), slug);
  for (const { slug } of blog.posts)
    assert.ok(map.includes(`<loc>https://example.org/posts/${slug}/</loc>`), slug);
  for (const xml of [feed, map]) assert.deepEqual(unbalanced(xml), []);
  assert.doesNotMatch(feed, /(?:href|src)=&quot;\/(?!\/)/, 'addresses in posts are absolute');
});

test('many posts are shown in pages of ten that lead to each other', () => {
  const posts = Array.from({ length: 25 }, (_, n) =>
    readPost(`p-${n}.md`, `---\ntitle: P${n}\ndate: 2026-01-01\ntags: [many]\n---\nx`),
  );
  const { answers } = buildSite({ ...blog, posts });
  assert.match(answers.get('/').bytes.toString(), /href="\/page\/2\/"/);
  assert.match(answers.get('/page/3/').bytes.toString(), /href="\/page\/2\/"/);
  assert.equal(answers.has('/page/4/'), false);
  assert.equal(answers.get('/page/3/').bytes.toString().match(/<h2/g).length, 5);
  assert.equal(answers.get('/tags/many/').bytes.toString().match(/<h2/g).length, 25);
});

test('no words of a post or of the site become tags', () => {
  const evil = `</title><script>"'&\u0000🧨`;
  const posts = [
    readPost(
      'p.md',
      `---\ntitle: ${JSON.stringify(evil)}\ndate: 2026-01-01\nsummary: ${JSON.stringify(evil)}\ntags: [${JSON.stringify(evil)}]\n---\n${evil}`,
    ),
  ];
  const evilSite = buildSite({ ...blog, posts, site: { ...blog.site, title: evil, description: evil } });
  const texts = [
    ...evilSite.answers.values(),
    evilSite.notFound,
    evilSite.feed('https://x'),
    evilSite.sitemap('https://x'),
  ]
    .filter(({ mediaType }) => /html|xml/.test(mediaType) && !/svg/.test(mediaType))
    .map(({ bytes }) => bytes.toString());
  for (const text of texts) {
    assert.doesNotMatch(text, /<script/);
    assert.ok(!text.includes('\0'));
    assert.doesNotMatch(text.replace('<!doctype html>', ''), /<\/title><[^/lm]/);
  }
});

test('an empty blog still has a start page, a feed and a sitemap', () => {
  const empty = buildSite({ ...blog, posts: [] });
  assert.match(empty.answers.get('/').bytes.toString(), /no posts yet/);
  assert.deepEqual(unbalanced(empty.feed('https://x').bytes.toString()), []);
  assert.deepEqual(unbalanced(empty.sitemap('https://x').bytes.toString()), []);
});

/** Elements of an XML text that are not closed, or closed twice. */
function unbalanced(xml) {
  const open = [];
  const wrong = [];
  for (const [, slash, name, end] of xml.matchAll(/<(\/?)([a-zA-Z][\w:]*)[^>]*?(\/?)>/g)) {
    if (end === '/') continue;
    if (slash === '') open.push(name);
    else if (open.at(-1) === name) open.pop();
    else wrong.push(name);
  }
  return [...wrong, ...open];
}
