import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFrontMatter } from './front-matter.js';
import { renderMarkdown, slugOf } from './markdown.js';

const POST_FILE = /^([a-z0-9]+(?:-[a-z0-9]+)*)\.md$/;

/** Reads `site.json`, every post and every file of `public/`. Throws with the file's name where one is wrong. */
export async function loadBlog(root) {
  const site = JSON.parse(await readFile(join(root, 'site.json'), 'utf8'));
  const postNames = await readdir(join(root, 'posts'));
  const publicNames = await readdir(join(root, 'public'));
  const posts = await Promise.all(
    postNames
      .filter((name) => name.endsWith('.md'))
      .map(async (name) => readPost(name, await readFile(join(root, 'posts', name), 'utf8'))),
  );
  const files = await Promise.all(
    publicNames.map(async (name) => ({ name, bytes: await readFile(join(root, 'public', name)) })),
  );
  return { site, posts: posts.sort(newestFirst), files };
}

/** One post from its file's name and text. */
export function readPost(name, source) {
  try {
    const slug = POST_FILE.exec(name)?.[1];
    if (slug === undefined)
      throw new Error('name it with small letters, digits and single hyphens, such as my-first-post.md');
    const { facts, text } = readFrontMatter(source);
    const tags = facts.tags === undefined || facts.tags === '' ? [] : [facts.tags].flat();
    if (typeof facts.title !== 'string' || facts.title.trim() === '') throw new Error('it has no title');
    return {
      slug,
      title: facts.title,
      date: readDate(facts.date),
      summary: typeof facts.summary === 'string' ? facts.summary : '',
      tags: tags.map((tag) => ({ name: tag, slug: slugOf(tag) })),
      minutes: Math.max(1, Math.round(text.split(/\s+/).length / 220)),
      html: renderMarkdown(text),
    };
  } catch (error) {
    throw new Error(`posts/${name}: ${error.message}`, { cause: error });
  }
}

function readDate(value) {
  const isReal =
    /^\d{4}-\d{2}-\d{2}$/.test(value ?? '') &&
    !Number.isNaN(Date.parse(value)) &&
    new Date(value).toISOString().startsWith(value);
  if (!isReal) throw new Error(`its date must be a day such as 2026-01-31, not ${value}`);
  return value;
}

/** Posts of one day are in the order of their names, so that every start gives the same pages. */
function newestFirst(a, b) {
  if (a.date !== b.date) return a.date < b.date ? 1 : -1;
  return a.slug < b.slug ? -1 : 1;
}
