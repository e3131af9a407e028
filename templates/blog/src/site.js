import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { rssFeed, sitemap } from './feed.js';
import { indexPage, notFoundPage, postPage, tagPage, tagsPage } from './pages.js';

const POSTS_A_PAGE = 10;
const MEDIA_TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.gif': 'image/gif',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
  '.pdf': 'application/pdf',
  '.woff2': 'font/woff2',
};

/** Every address of the blog with what it answers, made once. Addresses with the site's own name in them are made on demand. */
export function buildSite({ site, posts, files }) {
  const answers = new Map();
  const addPage = (path, text) => answers.set(path, makeAnswer('text/html; charset=utf-8', text));

  const pageCount = Math.max(1, Math.ceil(posts.length / POSTS_A_PAGE));
  for (let page = 1; page <= pageCount; page += 1) {
    const shown = posts.slice((page - 1) * POSTS_A_PAGE, page * POSTS_A_PAGE);
    addPage(page === 1 ? '/' : `/page/${page}/`, indexPage({ site, posts: shown, page, pageCount }));
  }
  for (const [index, post] of posts.entries()) {
    addPage(
      `/posts/${post.slug}/`,
      postPage({ site, post, newer: posts[index - 1], older: posts[index + 1] }),
    );
  }
  const tags = groupByTag(posts);
  addPage('/tags/', tagsPage({ site, tags }));
  for (const { tag, posts: tagged } of tags)
    addPage(`/tags/${tag.slug}/`, tagPage({ site, tag, posts: tagged }));
  for (const { name, bytes } of files) {
    answers.set(
      `/${name}`,
      makeAnswer(MEDIA_TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream', bytes),
    );
  }

  return {
    answers,
    notFound: makeAnswer('text/html; charset=utf-8', notFoundPage({ site })),
    feed: (siteUrl) => makeAnswer('application/rss+xml; charset=utf-8', rssFeed({ site, posts, siteUrl })),
    sitemap: (siteUrl) => makeAnswer('application/xml; charset=utf-8', sitemap({ posts, tags, siteUrl })),
  };
}

export function makeAnswer(mediaType, content) {
  const bytes = Buffer.from(content);
  return {
    mediaType,
    bytes,
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
  };
}

/** Tags in the order of their names, each with its posts, newest first. */
function groupByTag(posts) {
  const groups = new Map();
  for (const post of posts) {
    for (const tag of post.tags) {
      const group = groups.get(tag.slug) ?? { tag, posts: [] };
      if (!group.posts.includes(post)) group.posts.push(post);
      groups.set(tag.slug, group);
    }
  }
  return [...groups.values()].sort((a, b) => (a.tag.slug < b.tag.slug ? -1 : 1));
}
