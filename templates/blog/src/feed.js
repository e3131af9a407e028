import { escapeHtml } from './html.js';
import { tagAddress } from './pages.js';

/** A feed reader that was away for long finds as many as this. */
const FEED_POSTS = 20;

/** RSS 2.0 with the whole text of the newest posts. `siteUrl` has no slash at its end. */
export function rssFeed({ site, posts, siteUrl }) {
  const items = posts.slice(0, FEED_POSTS).map((post) => {
    const address = escapeHtml(`${siteUrl}/posts/${post.slug}/`);
    return `    <item>
      <title>${escapeHtml(post.title)}</title>
      <link>${address}</link>
      <guid isPermaLink="true">${address}</guid>
      <pubDate>${rssDate(post.date)}</pubDate>
      <description>${escapeHtml(post.summary)}</description>
${post.tags.map((tag) => `      <category>${escapeHtml(tag.name)}</category>\n`).join('')}      <content:encoded>${escapeHtml(absolute(post.html, siteUrl))}</content:encoded>
    </item>`;
  });
  return `<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/">
  <channel>
    <title>${escapeHtml(site.title)}</title>
    <link>${escapeHtml(siteUrl)}/</link>
    <description>${escapeHtml(site.description)}</description>
    <language>${escapeHtml(site.language)}</language>
    <atom:link href="${escapeHtml(siteUrl)}/feed.xml" rel="self" type="application/rss+xml"/>
${posts.length === 0 ? '' : `    <lastBuildDate>${rssDate(posts[0].date)}</lastBuildDate>\n`}${items.join('\n')}
  </channel>
</rss>
`;
}

export function sitemap({ posts, tags, siteUrl }) {
  const addresses = [
    { path: '/', date: posts[0]?.date },
    ...posts.map((post) => ({ path: `/posts/${post.slug}/`, date: post.date })),
    ...tags.map(({ tag, posts: tagged }) => ({ path: tagAddress(tag), date: tagged[0].date })),
  ];
  const urls = addresses.map(
    ({ path, date }) =>
      `  <url><loc>${escapeHtml(siteUrl + path)}</loc>${date === undefined ? '' : `<lastmod>${date}</lastmod>`}</url>`,
  );
  return `<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${urls.join('\n')}
</urlset>
`;
}

/** Readers show the text far from this site, so addresses within it need its name. */
function absolute(html, siteUrl) {
  return html.replace(/ (href|src)="\/(?!\/)/g, (_, name) => ` ${name}="${escapeHtml(siteUrl)}/`);
}

function rssDate(date) {
  return new Date(`${date}T00:00:00Z`).toUTCString();
}
