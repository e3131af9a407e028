import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { TaskInput } from '@dbox/contracts';
import type { Written } from '../engine.ts';
import type { EngineCase, EngineRun } from '../testing/engine.testsuite.ts';
import { assertFailed, assertWritten, runEngine, testEngine } from '../testing/engine.testsuite.ts';
import { readTemplates } from './template.ts';
import { createTemplateEngine } from './template-engine.ts';

const templatesDir = join(import.meta.dirname, '../../../../../templates');
const engine = createTemplateEngine({ templatesDir });
const NAMES = ['blog', 'node-api', 'simple-static'];
const inputOf = (name: string, values: Record<string, string> = {}): TaskInput => ({
  type: 'template',
  name,
  values,
});

testEngine({
  engine,
  possible: { input: inputOf('simple-static', { title: 'Tea', storyText: 'A site about tea.' }) },
  impossible: { input: inputOf('no-such-template') },
});

const HOSTILE_LINES = [
  `"quotes' \`ticks\` \\ back \\" slash`,
  '</script></title></h1><script>alert(1)</script><!-- --> ]]>',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what must not be evaluated
  '${process.exit(7)} {{title}} {{storyText|markdown}} $(touch /tmp/x) `id` $& $1',
  '---',
  'title: "x"',
  '# heading | table | [link](javascript:alert(1)) ![p](data:x) <img onerror=x>',
  '\u202emirrored\u202c שלום مرحبا 🧨👩‍👩‍👧 \u0000\u0007\u001b[31m \ud800 \u2028 z\u0335',
  '> quote\n- item\n1. one\n```\nfence',
];
const HOSTILE = HOSTILE_LINES.join('\n\n');
const HOSTILE_VALUES = {
  title: HOSTILE_LINES.slice(0, 3).join('\n'),
  projectName: '../../"evil',
  storyText: HOSTILE,
  topic: HOSTILE_LINES[6]!,
  itemTitle: HOSTILE_LINES[1]!,
  itemSlug: '../../evil',
  itemText: HOSTILE,
  resource: '__proto__',
};
const PLAIN_VALUES = {
  title: 'The Tea Room',
  storyText: 'A place about tea & biscuits.\n\nWith two paragraphs.',
  topic: 'teas',
  itemTitle: 'Green tea, again',
  itemText: 'It is *green*.',
};

/** Runs the tests that a project brings, as a person would, without anything of this process's environment. */
function runOwnTests(t: TestContext, tree: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const command = `if [ -x run-tests.sh ]; then ./run-tests.sh; else node --test-reporter=tap tests/all.js; fi`;
    const child = spawn('/bin/sh', ['-c', command], {
      cwd: tree,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: `${join(process.execPath, '..')}:/usr/bin:/bin` },
    });
    const kill = () => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    };
    const timer = setTimeout(kill, 60_000);
    t.after(kill);
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}

async function assertOwnTestsPass(t: TestContext, run: EngineRun): Promise<void> {
  assertWritten(run);
  const { code, output } = await runOwnTests(t, run.tree);
  assert.equal(code, 0, output);
  assert.match(output, /^# pass [1-9]/m);
}

for (const name of NAMES) {
  for (const [words, values] of Object.entries({ plain: PLAIN_VALUES, hostile: HOSTILE_VALUES })) {
    test(`${name} with ${words} words passes its own tests, new and extended`, async (t) => {
      const made = await runEngine(t, engine, { input: inputOf(name, values) });
      await assertOwnTestsPass(t, made);
      assert.ok(
        made.files['AGENTS.md'] && made.files['README.md'] && made.files['dbox.yaml'],
        'notes and run plan',
      );
      assert.equal(made.files['template.json'], undefined);
      assert.deepEqual(
        Object.keys(made.files).filter((path) => /^extend\/|\.tmpl$|\{/.test(path)),
        [],
      );
      assert.deepEqual(
        Object.entries(made.files).filter(
          ([, text]) => /\{\{[a-z]+[A-Z]|\{\{(?:date|title\|)/.test(text) && words === 'plain',
        ),
        [],
      );

      const extended = await runEngine(t, engine, {
        input: inputOf(name, values),
        start: withModes(made.files),
      });
      await assertOwnTestsPass(t, extended);
      assert.ok(Object.keys(extended.files).length > Object.keys(made.files).length, 'a file was added');
    });
  }

  test(`${name} needs no values at all`, async (t) => {
    const made = await runEngine(t, engine, {
      input: inputOf(name),
      title: 'Create blog website',
      storyText: '',
    });
    await assertOwnTestsPass(t, made);
    assert.ok(Object.values(made.files).some((text) => text.includes('Create blog website')));
  });
}

/** As they are in a commit: scripts stay executable. */
function withModes(files: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [path, path.endsWith('.sh') ? { executable: text } : text]),
  );
}

async function extendWith(
  t: TestContext,
  name: string,
  values: Record<string, string>,
  given: Partial<EngineCase> = {},
) {
  const made = await runEngine(t, engine, { input: inputOf(name, PLAIN_VALUES) });
  assertWritten(made);
  const extended = await runEngine(t, engine, {
    input: inputOf(name, values),
    start: withModes(made.files),
    ...given,
  });
  return { made, extended };
}

test('every template says what the planner needs', async () => {
  const templates = await readTemplates(templatesDir);
  assert.deepEqual([...templates.keys()].sort(), NAMES);
  for (const template of templates.values()) {
    assert.ok(
      template.keywords.length > 0 && template.tests.length > 0 && template.acceptance.length > 0,
      template.name,
    );
  }
});

test('an unknown template is refused with the names of those there are', async (t) => {
  const run = await runEngine(t, engine, { input: inputOf('../blog') });
  assertFailed(run, 'final', /no template "\.\.\/blog"; there are: blog, node-api, simple-static/);
});

test("the story's own words become titles and texts", async (t) => {
  const run = await runEngine(t, engine, { input: inputOf('simple-static', PLAIN_VALUES) });
  assert.match(run.files['index.html']!, /<title>The Tea Room<\/title>/);
  assert.match(
    run.files['index.html']!,
    /<p dir="auto">A place about tea &amp; biscuits\.<\/p>\n\s*<p dir="auto">With two/,
  );
  assert.equal((run.outcome as Written).summary, 'made "The Tea Room" from the simple-static template');
});

test('a blog is extended by a post under the given title, slug and text', async (t) => {
  const { made, extended } = await extendWith(t, 'blog', {
    itemTitle: 'Green tea',
    itemSlug: 'all-about-green',
    itemText: 'It is *green*.',
  });
  assertWritten(extended);
  assert.deepEqual(
    Object.keys(extended.files).filter((path) => !(path in made.files)),
    ['posts/all-about-green.md'],
  );
  assert.match(
    extended.files['posts/all-about-green.md']!,
    /^---\ntitle: "Green tea"\ndate: 2026-01-31\n[\s\S]*\n---\n\nIt is \*green\*\.\n$/,
  );
});

test('a page is linked from the start page, and keeps the title of its site', async (t) => {
  const { extended } = await extendWith(t, 'simple-static', { title: 'Another', itemTitle: 'About <us>' });
  assert.match(
    extended.files['index.html']!,
    /<li><a href="about-us\.html" dir="auto">About &lt;us&gt;<\/a><\/li>\n\s*<!-- more pages -->/,
  );
  assert.match(extended.files['about-us.html']!, /<title>About &lt;us&gt; · The Tea Room<\/title>/);
});

test('a service gets a resource, named by the topic at first and by its slug later', async (t) => {
  const { made, extended } = await extendWith(t, 'node-api', { itemTitle: 'Tea cups', itemSlug: 'tea-cups' });
  assert.ok(made.files['resources/teas.json']);
  const added = JSON.parse(extended.files['resources/tea-cups.json']!);
  assert.deepEqual([added.name, added.singular, added.title], ['tea-cups', 'tea-cup', 'Tea cups']);
});

test('a slug that is taken gets a number', async (t) => {
  const first = await runEngine(t, engine, { input: inputOf('blog', PLAIN_VALUES) });
  const second = await runEngine(t, engine, {
    input: inputOf('blog', { itemTitle: 'Welcome' }),
    start: first.files,
  });
  assert.ok(second.files['posts/welcome-2.md']);
  assert.equal(second.files['posts/welcome.md'], first.files['posts/welcome.md']);
});

test('a project that was not made from the template is left alone, with a way out', async (t) => {
  const foreign = await runEngine(t, engine, { input: inputOf('blog'), start: { 'main.py': 'print(1)' } });
  assertFailed(foreign, 'final', /made without a template.*model can/s);
  const { extended } = await extendWith(t, 'blog', {}, { input: inputOf('node-api') });
  assertFailed(extended, 'final', /made from the template blog/);
});

test('a start page without the place for links is told, not guessed', async (t) => {
  const made = await runEngine(t, engine, { input: inputOf('simple-static', PLAIN_VALUES) });
  const start = { ...made.files, 'index.html': '<h1>By hand</h1>' };
  const run = await runEngine(t, engine, { input: inputOf('simple-static', { itemTitle: 'More' }), start });
  assertFailed(run, 'final', /index\.html has no `<!-- more pages -->`/);
  assert.equal(run.files['more.html'], undefined);
});

test('a link in a hostile project is never written through', async (t) => {
  const start = { 'site.json': '{"template":"blog"}', posts: { linkTo: '/tmp' } };
  await assert.rejects(
    runEngine(t, engine, { input: inputOf('blog', { itemSlug: 'dbox-must-not-exist' }), start }),
    {
      blame: 'final',
    },
  );
  await assert.rejects(rm('/tmp/dbox-must-not-exist.md'));
  const linked = { 'site.json': { linkTo: '/etc/passwd' }, 'a.txt': 'x' };
  assertFailed(
    await runEngine(t, engine, { input: inputOf('blog'), start: linked }),
    'final',
    /without a template/,
  );
});

test('a second attempt is written anew on main, and says so where that would be the same again', async (t) => {
  const made = await runEngine(t, engine, { input: inputOf('blog', PLAIN_VALUES) });
  const post = inputOf('blog', { itemTitle: 'News' });
  const former = await runEngine(t, engine, { input: post, start: made.files });
  const same = await runEngine(t, engine, { input: post, attempt: 2, start: former.files, main: made.files });
  assertFailed(same, 'final', /the same again/);
  const moved = { ...made.files, 'posts/news.md': made.files['posts/welcome.md']! };
  const anew = await runEngine(t, engine, { input: post, attempt: 2, start: former.files, main: moved });
  assertWritten(anew);
  assert.equal(anew.basedOn, 'main');
  assert.ok(anew.files['posts/news-2.md']);
});

test('a story that says no more than its title is described in the words of the template', async (t) => {
  const storyText = 'Develop and run a blog site';
  const plain = await runEngine(t, engine, { input: inputOf('blog', { title: 'Blog site' }), storyText });
  assert.match(plain.files['site.json'] ?? '', /"description": "Notes and stories, the newest first\."/);
  const told = await runEngine(t, engine, { input: inputOf('blog', { title: 'Tea' }), storyText });
  assert.match(told.files['site.json'] ?? '', /"description": "A blog site"/);
});

test('a template with a wrong template.json or an unknown placeholder is an error that names it', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'dbox-templates-'));
  t.after(() => rm(dir, { recursive: true }));
  await mkdir(join(dir, 'broken'));
  await writeFile(join(dir, 'broken', 'template.json'), '{"name": "other"}');
  await assert.rejects(readTemplates(dir), /templates\/broken\/template\.json cannot be used/);
});
