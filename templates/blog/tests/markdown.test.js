import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderMarkdown } from '../src/markdown.js';
import { isSafeAddress } from '../src/markdown-inline.js';

const p = (inner) => `<p dir="auto">${inner}</p>`;

test('paragraphs are parted by blank lines and keep their line breaks', () => {
  assert.equal(renderMarkdown('one\ntwo\n\nthree'), `${p('one\ntwo')}\n${p('three')}`);
  assert.equal(renderMarkdown('one  \ntwo\\\nthree'), p('one<br>\ntwo<br>\nthree'));
  assert.equal(renderMarkdown('one\r\n\r\ntwo\r\n'), `${p('one')}\n${p('two')}`);
  assert.equal(renderMarkdown(''), '');
});

test('emphasis, code and what is struck out', () => {
  assert.equal(
    renderMarkdown('**a** *b* _c_ ~~d~~ `e*f*`'),
    p('<strong>a</strong> <em>b</em> <em>c</em> <del>d</del> <code>e*f*</code>'),
  );
  assert.equal(renderMarkdown('**a *b* c**'), p('<strong>a <em>b</em> c</strong>'));
  assert.equal(renderMarkdown('`` a ` b ``'), p('<code>a ` b</code>'));
});

test('marks without a twin are text', () => {
  for (const text of ['2 * 3 * 4', 'snake_case_name', '*a', 'a**', 'a ****', '`a', '[a](b', '[a]', '~ a ~']) {
    assert.equal(renderMarkdown(text), p(text));
  }
});

test('a backslash takes away the meaning of a mark', () => {
  assert.equal(renderMarkdown('\\*a\\* \\[b\\](c) \\<b\\> \\\\'), p('*a* [b](c) &lt;b&gt; \\'));
});

test('headings begin below the title and have ids that differ', () => {
  assert.equal(
    renderMarkdown('# A thing\n## A thing ##\n###### Ünï'),
    '<h2 id="a-thing" dir="auto">A thing</h2>\n<h2 id="a-thing-2" dir="auto">A thing</h2>\n<h6 id="uni" dir="auto">Ünï</h6>',
  );
  assert.equal(renderMarkdown('#no heading'), p('#no heading'));
});

test('lists, one inside the other, numbered from where they begin', () => {
  assert.equal(
    renderMarkdown('- a\n- b\n  1. c\n  2. d\n- e'),
    '<ul>\n<li dir="auto">a</li>\n<li dir="auto">b\n<ol>\n<li dir="auto">c</li>\n<li dir="auto">d</li>\n</ol></li>\n<li dir="auto">e</li>\n</ul>',
  );
  assert.match(renderMarkdown('3. a\n4. b'), /^<ol start="3">/);
  assert.equal(renderMarkdown('- a\nb'), '<ul>\n<li dir="auto">a\nb</li>\n</ul>');
  assert.equal(renderMarkdown('- a\n\n  b\n- c').match(/<p /g).length, 3);
});

test('quotations hold blocks', () => {
  assert.equal(
    renderMarkdown('> a\n> - b'),
    `<blockquote>\n${p('a')}\n<ul>\n<li dir="auto">b</li>\n</ul>\n</blockquote>`,
  );
});

test('code is kept letter for letter', () => {
  assert.equal(
    renderMarkdown('```js\nif (a < b && c) `x`;\n\n# no heading\n```\nafter'),
    `<pre tabindex="0"><code class="language-js">if (a &lt; b &amp;&amp; c) \`x\`;\n\n# no heading\n</code></pre>\n${p('after')}`,
  );
  assert.match(renderMarkdown('~~~\nopen to the end'), /<code>open to the end\n<\/code>/);
});

test('rules and tables', () => {
  assert.equal(renderMarkdown('a\n\n---\n\n* * *'), `${p('a')}\n<hr>\n<hr>`);
  const table = renderMarkdown('| a | b |\n|---|:-:|\n| `c|d` | e \\| f |\n| g |');
  assert.match(table, /<th dir="auto">a<\/th><th dir="auto">b<\/th>/);
  assert.match(table, /<td dir="auto"><code>c\|d<\/code><\/td><td dir="auto">e \| f<\/td>/);
  assert.match(table, /<td dir="auto">g<\/td><td dir="auto"><\/td>/);
});

test('links and pictures', () => {
  assert.equal(renderMarkdown('[a *b*](/c "d")'), p('<a href="/c" title="d">a <em>b</em></a>'));
  assert.equal(
    renderMarkdown('[a](https://example.org/x_(y))'),
    p('<a href="https://example.org/x_(y)" rel="noopener nofollow ugc">a</a>'),
  );
  assert.equal(
    renderMarkdown('![alt "text"](/pic.png)'),
    p('<img src="/pic.png" alt="alt &quot;text&quot;" loading="lazy">'),
  );
  assert.equal(
    renderMarkdown('see https://example.org/a?b=1&c=2.'),
    p(
      'see <a href="https://example.org/a?b=1&amp;c=2" rel="noopener nofollow ugc">https://example.org/a?b=1&amp;c=2</a>.',
    ),
  );
  assert.equal(
    renderMarkdown('<mailto:a@example.org>'),
    p('<a href="mailto:a@example.org">a@example.org</a>'),
  );
});

test('a picture of another host is a link, so that nobody learns who reads', () => {
  for (const address of ['https://example.org/p.png', '//example.org/p.png']) {
    assert.doesNotMatch(renderMarkdown(`![p](${address})`), /<img/);
  }
});

const HOSTILE = [
  '<script>alert(1)</script>',
  '</p></article><script src=//evil></script>',
  '<img src=x onerror=alert(1)>',
  '[a](javascript:alert(1))',
  '[a](JaVaScRiPt:alert(1))',
  '[a](java\u0000script:alert(1))',
  '[a](<java\tscript:alert(1)>)',
  '[a](\u0001javascript:alert(1))',
  '[a](data:text/html;base64,PHNjcmlwdD4=)',
  '[a](vbscript:x)',
  '![a](javascript:alert(1))',
  '![" onerror="alert(1)](x)',
  '[a](x" onmouseover="alert(1))',
  '[a](/x "t\\" onmouseover=\\"alert(1)")',
  "[a](/x' onmouseover='alert(1))",
  '<javascript:alert(1)>',
  '<https://x" onclick="alert(1)>',
  'https://x"onclick="alert(1)',
  '```"><script>\nx\n```',
  '`<script>`',
  '# <script>alert(1)</script>',
  '| <script> | b |\n|---|---|\n| <img onerror=x> | [a](javascript:x) |',
  '> <script>\n> [a](javascript:x)',
  '- <script>\n  - [a](javascript:x)',
  '[![a](javascript:x)](javascript:y)',
  '*[a](javascript:x*)',
  '<<script>script>',
  '[a]: javascript:alert(1)',
  '&lt;script&gt; &#60;script&#62;',
];
const ALLOWED_TAG =
  /^<(?:\/?(?:p|h[2-6]|ul|ol|li|blockquote|pre|code|em|strong|del|a|table|thead|tbody|tr|th|td|div)|br|hr|img)(?: (?:href|src|alt|title|rel|class|id|dir|start|loading|role|aria-label|tabindex)="[^"<>]*")*>$/;

test('whatever is typed, only tags made here come out, without scripts in addresses', () => {
  for (const text of HOSTILE) {
    const html = renderMarkdown(text);
    for (const [tag] of html.matchAll(/<[^>]*>?/g)) assert.match(tag, ALLOWED_TAG, `${text}\n${html}`);
    for (const [, address] of html.matchAll(/(?:href|src)="([^"]*)"/g)) {
      assert.doesNotMatch(address, /^[^/]*(?:javascript|data|vbscript):/i, `${text}\n${html}`);
    }
  }
});

test('random mixtures of marks never make a foreign tag and always end', () => {
  const parts = [
    '*',
    '**',
    '_',
    '`',
    '```',
    '[',
    ']',
    '(',
    ')',
    '<',
    '>',
    '!',
    '\\',
    '\n',
    '\n\n',
    '- ',
    '1. ',
    '> ',
    '|',
    '---',
    '# ',
    'a',
    ' ',
    '"',
    "'",
    '&',
    'javascript:',
    'https://x',
    '<script>',
    '~~',
    '\t',
  ];
  let seed = 7;
  const next = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return parts[seed % parts.length];
  };
  for (let round = 0; round < 400; round += 1) {
    const text = Array.from({ length: 40 }, next).join('');
    const html = renderMarkdown(text);
    for (const [tag] of html.matchAll(/<[^>]*>?/g)) assert.match(tag, ALLOWED_TAG, JSON.stringify(text));
  }
});

test('long hostile texts are rendered without growing out of bounds', { timeout: 20_000 }, () => {
  const texts = [
    '['.repeat(6_000),
    '*a '.repeat(20_000),
    '`'.repeat(20_001),
    '> '.repeat(20_000),
    `# a${' '.repeat(40_000)}b`,
    `${'- '.repeat(3_000)}x`,
    `\`\`\`${'a'.repeat(40_000)}\``,
    '![['.repeat(3_000),
    `${'|'.repeat(20_000)}\n|-|`,
  ];
  for (const text of texts) assert.ok(renderMarkdown(text).length < 10_000_000);
});

test('addresses within the site, of the web and of mail are safe, others are not', () => {
  for (const address of [
    '/a',
    'a/b',
    '#a',
    '?a=b:c',
    'a/b:c',
    'https://x',
    'HTTP://x',
    'mailto:a@b',
    '//x',
    '',
  ]) {
    assert.equal(isSafeAddress(address), true, address);
  }
  for (const address of [
    'javascript:x',
    ' javascript:x',
    'java\nscript:x',
    'data:x',
    'file:///x',
    'x:y',
    'blob:x',
  ]) {
    assert.equal(isSafeAddress(address), false, address);
  }
});
