import type { TaskSpec } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import type { Planner, PlanRequest } from '../../ports/planner.ts';
import { type AskedItem, itemsBesideProject, itemsNamed, itemsOfPart, splitList } from './asked-items.ts';
import { chooseTemplate } from './choose-template.ts';
import { expectWords, fillAcceptance, makeSpec, type PlannedTask } from './make-spec.ts';
import { capitalize, readPhrase, titleOf } from './phrase.ts';
import { projectNameOf, resourceOf, slugOf } from './slug.ts';
import { cleanText, splitParts } from './story-text.ts';
import { namesResource, readTemplateCatalog, type Template } from './template-catalog.ts';

/** More than a person lists in one go; past this the last task takes the rest together. */
const MAX_ITEMS = 12;
const MAX_STORY_CHARACTERS = 65_536;
const MAX_ITEM_CHARACTERS = 8_000;
const DEFAULT_TITLE = 'New site';
/** What the template engine lets stand in a project that it begins, as a new repository may come with. */
const NO_CONTENT = /^(?:\.gitignore|\.gitattributes|README(?:\..*)?|LICENSE(?:\..*)?|CODEOWNERS)$/i;
/** Work on what is there already. Templates only add. */
const CHANGES =
  /^(?:(?:please|also|and|then|now|can you|could you)[\s,]+)*(?:change|fix|repair|remove|delete|rename|replace|update|upgrade|redesign|refactor|rewrite|translate|move|improve|correct|make\s+(?:it|the|all|every)|turn|undo|revert)\b/iu;

/**
 * Plans without a model: a story's words choose a template and become titles and texts. It says so
 * rather than guess where a story asks for what no template can do.
 */
export function createTemplatePlanner(options: { readonly templatesDir: string }): Planner {
  return {
    async plan(request) {
      const templates = await readTemplateCatalog(options.templatesDir);
      const isNew = request.mainCommit === null || request.files.every((path) => NO_CONTENT.test(path));
      return isNew ? planNew(templates, request) : planExtension(templates, request);
    },
    async templates() {
      return (await readTemplateCatalog(options.templatesDir)).map(({ name }) => name);
    },
    nameOf: (storyText) => projectNameOf(readStory(storyText).title ?? ''),
  };
}

function readStory(storyText: string) {
  const text = cleanText(storyText, MAX_STORY_CHARACTERS);
  const parts = splitParts(text);
  const [first] = parts;
  const phrase = readPhrase(first?.text ?? text.split('\n', 1)[0]!);
  return { text, first, rest: parts.slice(1), phrase, title: titleOf(phrase) };
}

function planNew(templates: readonly Template[], request: PlanRequest): TaskSpec[] {
  const { text, first, rest, phrase, title: foundTitle } = readStory(request.storyText);
  const template = chooseTemplate(templates, phrase, text);
  if (template === null) {
    throw new ProblemError(
      'template_unknown',
      'The box has no templates, so it cannot plan without a model.',
    );
  }
  const title = foundTitle ?? DEFAULT_TITLE;
  const { keywords } = template.extend;
  const slugs = slugBook(template, request.files);
  const resources = namesResource(template) ? splitList(phrase.subject ?? phrase.whole) : [];
  const resource = resources.length > 0 ? slugs.take(resourceOf(resources[0]!) ?? 'items') : null;

  const items = distinct([
    ...resources.slice(1).map((words) => ({ title: capitalize(words), text: first?.text ?? words })),
    ...itemsBesideProject(first?.text ?? '', keywords),
    ...rest.flatMap((part) => itemsOfPart(part, keywords)),
  ]);
  const ids = idBook(request);
  const id = ids.take();
  const own = expectWords(template.acceptance, title, (url) => /^http:\/\/devsite:8080\/?$/.test(url));
  const ofResource =
    resource === null ? [] : fillAcceptance(template.extend.acceptance, { itemSlug: resource });
  const creation = makeSpec({
    id,
    title: `Create ${title}`,
    description: text,
    template: template.name,
    values: {
      mode: 'create',
      title,
      ...(phrase.subject === null ? {} : { topic: phrase.subject }),
      ...(resource === null ? {} : { resource }),
    },
    acceptance: [...own, ...ofResource],
    tests: template.tests,
    dependsOn: [],
  });
  return [creation, ...planItems({ template, items, ids, slugs, after: id })];
}

async function planExtension(templates: readonly Template[], request: PlanRequest): Promise<TaskSpec[]> {
  const template = await templateOf(templates, request);
  const { text, first, rest, phrase, title } = readStory(request.storyText);
  const { adds, keywords } = template.extend;
  if (CHANGES.test(first?.text ?? '')) {
    throw new ProblemError(
      'template_unknown',
      `Without a model the box can only add to project ${request.project}: ${adds}. Ask for that, or set up a model (\`dbox doctor\` says how) for changes to what is there.`,
    );
  }
  const named = itemsNamed(first?.text ?? '', keywords);
  const others = rest.flatMap((part) => itemsOfPart(part, keywords));
  // What is asked for once may be told at length.
  const asked =
    others.length === 0 ? named.map((item) => (named.length === 1 ? { ...item, text } : item)) : named;
  const items = distinct([...asked, ...others]);
  if (items.length === 0) items.push({ title: title ?? phrase.whole.slice(0, 60) ?? '', text });
  const usable = items.map((item) =>
    item.title.trim() === '' ? { ...item, title: capitalize(adds) } : item,
  );
  return planItems({
    template,
    items: usable,
    ids: idBook(request),
    slugs: slugBook(template, request.files),
    after: null,
  });
}

/** The template that a project says it was made from, in its `site.json`. */
async function templateOf(templates: readonly Template[], request: PlanRequest): Promise<Template> {
  const written = request.files.includes('site.json') ? await request.readFile('site.json') : null;
  let name: unknown;
  try {
    name = (JSON.parse(written ?? 'null') as { template?: unknown } | null)?.template;
  } catch {
    name = null;
  }
  const template = templates.find((one) => one.name === name);
  if (template !== undefined) return template;
  throw new ProblemError(
    'template_unknown',
    `Project ${request.project} was not made from one of the box's templates, so its code can only be changed by a model, and none is connected. Submit a task spec of your own with \`dbox story --project ${request.project} -f SPEC.yaml\`.`,
  );
}

function planItems(o: {
  readonly template: Template;
  readonly items: readonly AskedItem[];
  readonly ids: IdBook;
  readonly slugs: SlugBook;
  readonly after: string | null;
}): TaskSpec[] {
  const { template } = o;
  // Those that change the same file would only run into each other.
  const isChained = template.extend.insert.length > 0;
  let after = o.after;
  return bundleRest(o.items).map((item) => {
    const itemSlug = o.slugs.take(
      namesResource(template) ? (resourceOf(item.title) ?? slugOf(item.title)) : slugOf(item.title),
    );
    const id = o.ids.take();
    const filled = fillAcceptance(template.extend.acceptance, { itemSlug });
    const task: PlannedTask = {
      id,
      title: `Add ${template.extend.adds.split(' ').slice(0, 2).join(' ')}: ${item.title}`,
      description: item.text,
      template: template.name,
      values: {
        mode: 'extend',
        itemTitle: item.title,
        itemSlug,
        itemText: cleanText(item.text, MAX_ITEM_CHARACTERS),
      },
      acceptance: expectWords(filled, item.title, () => true),
      tests: template.tests,
      dependsOn: after === null ? [] : [after],
    };
    if (isChained) after = id;
    return makeSpec(task);
  });
}

function bundleRest(items: readonly AskedItem[]): readonly AskedItem[] {
  if (items.length <= MAX_ITEMS) return items;
  const rest = items.slice(MAX_ITEMS - 1);
  const text = rest.map((item) => item.text).join('\n\n');
  return [...items.slice(0, MAX_ITEMS - 1), { title: rest[0]!.title, text }];
}

function distinct(items: readonly AskedItem[]): AskedItem[] {
  const byTitle = new Map<string, AskedItem>();
  for (const item of items) {
    const key = item.title.toLowerCase();
    if (!byTitle.has(key)) byTitle.set(key, item);
  }
  return [...byTitle.values()];
}

interface IdBook {
  take(): string;
}

/** `<project>-001` and on, past the ids that are taken. */
function idBook(request: PlanRequest): IdBook {
  const used = new Set(request.takenTaskIds);
  let n = 0;
  return {
    take() {
      for (;;) {
        n += 1;
        const id = `${request.project}-${String(n).padStart(3, '0')}`;
        if (used.has(id)) continue;
        used.add(id);
        return id;
      }
    },
  };
}

interface SlugBook {
  take(wanted: string): string;
}

/** Slugs whose files are not there yet, so that the address in an acceptance is the one that is made. */
function slugBook(template: Template, files: readonly string[]): SlugBook {
  const paths = new Set([...files, ...template.createdFiles]);
  const addresses = new Set(RESERVED);
  return {
    take(wanted) {
      for (let n = 1; ; n++) {
        const slug = n === 1 ? wanted : `${wanted}-${n}`;
        const made = template.extend.files.map(({ to }) => to.replaceAll('{{itemSlug}}', slug));
        if (addresses.has(slug) || made.some((path) => paths.has(path))) continue;
        addresses.add(slug);
        return slug;
      }
    },
  };
}

/** Addresses that the templates' own programs answer themselves. */
const RESERVED = ['healthz', 'openapi', 'style', 'favicon', 'index', '404'];
