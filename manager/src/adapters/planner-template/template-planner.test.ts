import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PROJECT_NAME_PATTERN, ProblemError, TASK_ID_PATTERN, TaskSpec } from '@dbox/contracts';
import { checkTaskGraph, readTaskSpecs, writeTaskSpec } from '@dbox/spec-kit';
import fc from 'fast-check';
import type { PlanRequest } from '../../ports/planner.ts';
import { createTemplatePlanner } from './template-planner.ts';

const planner = createTemplatePlanner({ templatesDir: join(import.meta.dirname, '../../../../templates') });

function request(storyText: string, more: Partial<PlanRequest> = {}): PlanRequest {
  const project = planner.nameOf(storyText);
  return {
    storyText,
    project,
    mainCommit: null,
    files: [],
    readFile: async () => null,
    takenTaskIds: new Set(),
    ...more,
  };
}

/** A project that the template made before. */
function existing(storyText: string, template: string, files: readonly string[] = []): PlanRequest {
  return request(storyText, {
    project: 'shop',
    mainCommit: 'a'.repeat(40),
    files: ['site.json', 'dbox.yaml', ...files],
    readFile: async (path) => (path === 'site.json' ? JSON.stringify({ template }) : null),
  });
}

function inputOf(spec: TaskSpec | undefined) {
  const input = spec?.inputs[0];
  assert.ok(input?.type === 'template');
  return input;
}

function pathsOf(spec: TaskSpec | undefined) {
  return spec!.acceptance.map((criterion) => (criterion.kind === 'http' ? criterion.path : criterion.kind));
}

/** Title, project name and template of stories as people write them. */
const STORIES: readonly (readonly [string, string, string, string])[] = [
  ['Develop and run a blog site', 'Blog site', 'blog-site', 'blog'],
  ['Build a REST API for bookmarks', 'Bookmarks API', 'bookmarks-api', 'node-api'],
  ['a landing page for Café Müller', 'Café Müller', 'cafe-muller', 'simple-static'],
  ['Please build me a simple blog about tea.', 'Simple blog about tea', 'simple-blog-about-tea', 'blog'],
  ['Build a blog called "Tea & Cake" with RSS', 'Tea & Cake', 'tea-cake', 'blog'],
  ['I want a website', 'Website', 'website', 'simple-static'],
  [
    'a landing page for our delivery service',
    'Landing page for our delivery service',
    'landing-page-for-our-delivery-service',
    'simple-static',
  ],
  ['a backend for a shop', 'Shop backend', 'shop-backend', 'node-api'],
  ['Company website with a blog', 'Company website', 'company-website', 'blog'],
  ['create a notes api', 'Notes API', 'notes-api', 'node-api'],
  [
    'A page about the rest of my life',
    'Page about the rest of my life',
    'page-about-the-rest-of-my-life',
    'simple-static',
  ],
  ['run', 'Run', 'run', 'simple-static'],
  ['שלום עולם', 'שלום עולם', 'site', 'simple-static'],
  ['🚀🚀', '🚀🚀', 'site', 'simple-static'],
];

for (const [story, title, project, template] of STORIES) {
  test(`"${story}" makes "${title}" from ${template}`, async () => {
    assert.equal(planner.nameOf(story), project);
    const [spec] = await planner.plan(request(story));
    assert.equal(inputOf(spec).name, template);
    assert.equal(inputOf(spec).values.title, title);
    assert.equal(inputOf(spec).values.mode, 'create');
    assert.equal(spec?.id, `${project}-001`);
  });
}

test('acceptance looks at real content: the title, the feed, the resource', async () => {
  const [blog, ...more] = await planner.plan(request('Develop and run a blog site'));
  assert.equal(more.length, 0);
  assert.deepEqual(pathsOf(blog), ['/', '/feed.xml', '/healthz']);
  const [page, feed] = blog!.acceptance;
  assert.deepEqual(page?.kind === 'http' && [page.statuses, page.contains], [[200], ['<h1', 'Blog site']]);
  assert.deepEqual(feed?.kind === 'http' && feed.contains, ['<rss']);
  const [api] = await planner.plan(request('Build a REST API for bookmarks'));
  assert.equal(inputOf(api).values.resource, 'bookmarks');
  assert.deepEqual(pathsOf(api), ['/healthz', '/openapi.json', '/', '/bookmarks']);
  assert.ok(blog!.tests.length > 0 && api!.tests.length > 0);
});

test('a title that is escaped on the page is looked for by what is not', async () => {
  const [spec] = await planner.plan(request('a page called "Rock & <b>Roll</b> forever"'));
  const page = spec!.acceptance[0];
  assert.deepEqual(page?.kind === 'http' && page.contains, ['<h1', 'forever']);
});

test('each thing that is asked for is a task that needs the first', async () => {
  const specs = await planner.plan(
    request('A blog about tea with posts about green tea, oolong and matcha.\n\nAdd a post about cups.'),
  );
  assert.deepEqual(
    specs.map((spec) => spec.title),
    [
      'Create Blog about tea',
      'Add a post: Green tea',
      'Add a post: Oolong',
      'Add a post: Matcha',
      'Add a post: Cups',
    ],
  );
  const [first, ...others] = specs;
  for (const spec of others) assert.deepEqual(spec.dependsOn, [first!.id]);
  assert.deepEqual(pathsOf(others[0]), ['/posts/green-tea/']);
  assert.equal(inputOf(others[0]).values.itemSlug, 'green-tea');
});

test('pages, which all go into one start page, are made one after the other', async () => {
  const specs = await planner.plan(
    request('Make a portfolio.\n- an about page\n- Contact\n- it must be fast'),
  );
  assert.deepEqual(
    specs.map((spec) => [spec.id, spec.title, spec.dependsOn]),
    [
      ['portfolio-001', 'Create Portfolio', []],
      ['portfolio-002', 'Add a page: About', ['portfolio-001']],
      ['portfolio-003', 'Add a page: Contact', ['portfolio-002']],
    ],
  );
});

test('a service with several resources begins with the first', async () => {
  const specs = await planner.plan(request('An API for books and authors. Add an endpoint for tags.'));
  assert.deepEqual(
    specs.map((spec) => pathsOf(spec).at(-1)),
    ['/books', '/authors', '/tags'],
  );
  const [recipes] = await planner.plan(
    request('a REST service that manages recipes with persistent storage'),
  );
  assert.equal(inputOf(recipes).values.resource, 'recipes');
});

test('a list of very many things stays a plan of a few tasks', async () => {
  const items = Array.from({ length: 500 }, (_, n) => `- a post about thing ${n}`).join('\n');
  const specs = await planner.plan(request(`Make a blog\n${items}`));
  assert.equal(specs.length, 13);
  assert.match(inputOf(specs.at(-1)).values.itemText!, /thing 11[\s\S]*thing 100/);
});

test('a project that exists is extended by what its template can add', async () => {
  const [post, ...none] = await planner.plan(
    existing('Write a post about spring', 'blog', ['posts/spring.md']),
  );
  assert.equal(none.length, 0);
  assert.deepEqual(inputOf(post).values.mode, 'extend');
  assert.equal(inputOf(post).values.itemTitle, 'Spring');
  assert.equal(inputOf(post).values.itemSlug, 'spring-2', 'the address of the former post stays its own');
  assert.deepEqual(pathsOf(post), ['/posts/spring-2/']);
  assert.deepEqual([post!.id, post!.dependsOn], ['shop-001', []]);
  const [first, second] = await planner.plan(
    existing('Add an about page.\nAdd a contact page.', 'simple-static'),
  );
  assert.deepEqual([first!.title, second!.title], ['Add a page: About', 'Add a page: Contact']);
  assert.deepEqual(second!.dependsOn, [first!.id]);
  const [resource] = await planner.plan(existing('We also need tags', 'node-api', ['resources/books.json']));
  assert.deepEqual(pathsOf(resource), ['/tags']);
});

test('a long text for one post is that one post', async () => {
  const story = 'Write a post about tea.\n\nTea is old. It must be hot. People like it with milk.';
  const specs = await planner.plan(existing(story, 'blog'));
  assert.equal(specs.length, 1);
  assert.equal(inputOf(specs[0]).values.itemText, story);
});

test('what no template can do is said, not guessed', async () => {
  const isUnknown = (pattern: RegExp) => (error: unknown) =>
    error instanceof ProblemError && error.code === 'template_unknown' && pattern.test(error.message);
  const foreign = request('Add a page', { project: 'old', mainCommit: 'a'.repeat(40), files: ['main.py'] });
  await assert.rejects(planner.plan(foreign), isUnknown(/old was not made from one of .* model/));
  await assert.rejects(planner.plan(existing('Add a page', 'no-such-template')), isUnknown(/model/));
  await assert.rejects(
    planner.plan({ ...existing('Add a page', 'blog'), readFile: async () => '{not json' }),
    isUnknown(/model/),
  );
  await assert.rejects(
    planner.plan(existing('Change the colour to blue', 'blog')),
    isUnknown(/only add .*a post/),
  );
  const empty = mkdtempSync(join(tmpdir(), 'dbox-templates-'));
  await assert.rejects(
    createTemplatePlanner({ templatesDir: empty }).plan(request('x')),
    isUnknown(/no templates/),
  );
  rmSync(empty, { recursive: true });
});

test('an imported repository with nothing in it but its notes is begun like a new one', async () => {
  const [spec] = await planner.plan(
    request('a blog', { mainCommit: 'a'.repeat(40), files: ['README.md', 'LICENSE', '.gitignore'] }),
  );
  assert.equal(inputOf(spec).values.mode, 'create');
});

test('ids that are taken are passed over, and the same request gives the same plan', async () => {
  const taken = new Set(['blog-001', 'blog-003']);
  const ask = () =>
    planner.plan(request('A blog with posts about a1 and b2', { project: 'blog', takenTaskIds: taken }));
  const specs = await ask();
  assert.deepEqual(
    specs.map((spec) => spec.id),
    ['blog-002', 'blog-004', 'blog-005'],
  );
  assert.deepEqual(await ask(), specs);
  assert.equal(taken.size, 2);
});

test('the templates are named', async () => {
  const names = await planner.templates();
  for (const name of ['blog', 'node-api', 'simple-static']) assert.ok(names.includes(name), name);
});

async function assertGoodPlan(given: PlanRequest): Promise<void> {
  assert.match(given.project, PROJECT_NAME_PATTERN);
  const specs = await planner.plan(given);
  assert.ok(specs.length >= 1 && specs.length <= 13);
  assert.deepEqual(checkTaskGraph({ specs: [...specs], known: [] }), []);
  for (const spec of specs) {
    TaskSpec.parse(spec);
    assert.match(spec.id, TASK_ID_PATTERN);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a page or a terminal.
    assert.doesNotMatch(spec.title, /[\x00-\x1f\x7f-\x9f\u202a-\u202e]/);
    const { values } = inputOf(spec);
    if (values.itemSlug !== undefined) assert.match(values.itemSlug, /^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    if (values.resource !== undefined) assert.match(values.resource, /^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    const read = readTaskSpecs({ file: 'spec.yaml', yaml: writeTaskSpec(spec) });
    assert.deepEqual(read.findings, []);
    assert.deepEqual(read.specs, [spec]);
  }
}

const HOSTILE: Readonly<Record<string, string>> = {
  nothing: '',
  spaces: ' \n\t ',
  quotes: `Build a "blog' \`x\` \\" \\n called "'\``,
  script: 'A blog about </script><script>alert(1)</script> & <!-- -->',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what must not be evaluated.
  yaml: '---\nid: x\n- !!js/function "x"\n&a *a\n{{title}} ${x} %YAML',
  'control characters': 'A\u0000 blog\u0007\u001b[31m about\r\nlines\u2028and\u0085more\u007f',
  'right to left': '\u202eA blog\u202c مدونة عن الشاي \u2066x\u2069',
  'lone surrogates': 'a blog \ud800 about \udc00',
  'no characters': 'a blog \uffff\ufffe\ufeff about \u{1ffff}',
  emoji: '🚀👩‍👩‍👧 🏳️‍🌈',
  'stop words': 'the a an of and to with for',
  'one endless word': 'x'.repeat(65_536),
  'endless emoji': '🚀'.repeat(16_384),
  '64 KB of sentences': 'Add a page about it. '.repeat(3_200),
  '64 KB of commas': `A blog with posts about a${', b'.repeat(20_000)}`,
  '64 KB of ands': `An API for a${' and b'.repeat(10_000)}`,
  '64 KB of lines': '- a post\n'.repeat(7_000),
  '64 KB of control characters': '\u0001'.repeat(65_536),
  'reserved addresses': 'An API for healthz, openapi, style and favicon with an endpoint for healthz',
  'pages that are there': 'A website. Add an index page. Add a 404 page. Add an index page.',
  path: 'Build a blog called "../../etc/passwd". Add a page called "..". Add a page called "/".',
};
for (const [what, story] of Object.entries(HOSTILE)) {
  test(`a story of ${what} gives a plan that validates`, async () => {
    await assertGoodPlan(request(story));
    for (const template of ['blog', 'node-api', 'simple-static']) {
      await assertGoodPlan(existing(`More: ${story}`, template));
    }
  });
}

test('every text gives a plan that validates and a valid project name', async () => {
  const words = fc.constantFrom(
    ...'build create a the blog api REST page post posts endpoint about for with and called add write - \n . , ; : " < & é ü 日本 🚀 \u0000 \u202e {{title}} website todo --- #'.split(
      ' ',
    ),
    ' ',
    '\n- ',
    '\n\n',
  );
  const story = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: 'grapheme', maxLength: 200 }),
    fc.array(words, { maxLength: 40 }).map((list) => list.join(' ')),
  );
  await fc.assert(
    fc.asyncProperty(story, async (text) => assertGoodPlan(request(text))),
    { numRuns: 300 },
  );
});
