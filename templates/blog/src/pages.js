import { html, raw } from './html.js';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

export function indexPage({ site, posts, page, pageCount }) {
  const title = page === 1 ? site.title : `${site.title}, page ${page}`;
  const head = page === 1 ? html`<p class="lead" dir="auto">${site.description}</p>` : null;
  return layout({
    site,
    title,
    description: site.description,
    body: html`
      <header class="intro">
        <h1 dir="auto">${title}</h1>
        ${head}
      </header>
      ${posts.length === 0 ? html`<p>There are no posts yet.</p>` : html`<ol class="posts">${posts.map(teaser)}</ol>`}
      ${pager(page, pageCount)}`,
  });
}

export function postPage({ site, post, newer, older }) {
  return layout({
    site,
    title: `${post.title} · ${site.title}`,
    description: post.summary,
    body: html`
      <article>
        <header class="intro">
          <p class="meta">${day(post)} · ${post.minutes} min read</p>
          <h1 dir="auto">${post.title}</h1>
          ${post.summary === '' ? null : html`<p class="lead" dir="auto">${post.summary}</p>`}
        </header>
        <div class="prose">
${raw(post.html)}
        </div>
        ${tagList(post.tags)}
      </article>
      <nav class="around" aria-label="More posts">
        ${newer ? html`<a rel="next" href="/posts/${newer.slug}/"><span>Newer</span> <b dir="auto">${newer.title}</b></a>` : null}
        ${older ? html`<a rel="prev" href="/posts/${older.slug}/"><span>Older</span> <b dir="auto">${older.title}</b></a>` : null}
      </nav>`,
  });
}

export function tagPage({ site, tag, posts }) {
  return layout({
    site,
    title: `${tag.name} · ${site.title}`,
    description: `Posts about ${tag.name}`,
    body: html`
      <header class="intro">
        <p class="meta"><a href="/tags/">All tags</a></p>
        <h1 dir="auto">${tag.name}</h1>
      </header>
      <ol class="posts">${posts.map(teaser)}</ol>`,
  });
}

export function tagsPage({ site, tags }) {
  return layout({
    site,
    title: `Tags · ${site.title}`,
    description: `What ${site.title} is about`,
    body: html`
      <header class="intro"><h1>Tags</h1></header>
      ${tags.length === 0 ? html`<p>There are no tags yet.</p>` : null}
      <ul class="tags">${tags.map(
        ({ tag, posts }) =>
          html`<li><a href="${tagAddress(tag)}" dir="auto">${tag.name}</a> <small>${posts.length}</small></li>`,
      )}</ul>`,
  });
}

export function notFoundPage({ site }) {
  return layout({
    site,
    title: `Not found · ${site.title}`,
    description: '',
    body: html`
      <header class="intro">
        <p class="meta">404</p>
        <h1>There is no page here</h1>
        <p class="lead">The address may be mistyped. All posts are on the <a href="/">start page</a>.</p>
      </header>`,
  });
}

export function tagAddress(tag) {
  return `/tags/${encodeURIComponent(tag.slug)}/`;
}

function teaser(post) {
  return html`
        <li>
          <p class="meta">${day(post)}</p>
          <h2 dir="auto"><a class="title" href="/posts/${post.slug}/">${post.title}</a></h2>
          ${post.summary === '' ? null : html`<p dir="auto">${post.summary}</p>`}
          ${tagList(post.tags)}
        </li>`;
}

function tagList(tags) {
  if (tags.length === 0) return null;
  return html`<ul class="tags" aria-label="Tags">${tags.map((tag) => html`<li><a href="${tagAddress(tag)}" dir="auto">${tag.name}</a></li>`)}</ul>`;
}

function pager(page, pageCount) {
  if (pageCount === 1) return null;
  const address = (n) => (n === 1 ? '/' : `/page/${n}/`);
  return html`
      <nav class="around" aria-label="Pages">
        ${page > 1 ? html`<a rel="prev" href="${address(page - 1)}">Newer posts</a>` : null}
        ${page < pageCount ? html`<a rel="next" href="${address(page + 1)}">Older posts</a>` : null}
      </nav>`;
}

function day({ date }) {
  const [year, month, dayOfMonth] = date.split('-').map(Number);
  return html`<time datetime="${date}">${dayOfMonth} ${MONTHS[month - 1]} ${year}</time>`;
}

function layout({ site, title, description, body }) {
  return html`<!doctype html>
<html lang="${site.language}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="description" content="${description}">
    <title>${title}</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/style.css">
    <link rel="alternate" type="application/rss+xml" title="${site.title}" href="/feed.xml">
  </head>
  <body>
    <a class="skip" href="#content">Skip to content</a>
    <header class="bar">
      <a class="brand" href="/" dir="auto">${site.title}</a>
      <nav aria-label="Site">
        <a href="/">Posts</a>
        <a href="/tags/">Tags</a>
        <a href="/feed.xml">Feed</a>
      </nav>
    </header>
    <main id="content">${body}
    </main>
    <footer>
      <p><span dir="auto">${site.title}</span> · <a href="/feed.xml">Follow by RSS</a></p>
    </footer>
  </body>
</html>
`.toString();
}
