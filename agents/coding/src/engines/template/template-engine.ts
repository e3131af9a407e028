import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskInput } from '@dbox/contracts';
import type { Engine, EngineFailure, WriteRequest, Written } from '../engine.ts';
import { createFrom, extendBy } from './lay-out-template.ts';
import type { Template } from './template.ts';
import { readTemplates } from './template.ts';
import type { TemplateValues } from './values.ts';
import { makeValues } from './values.ts';

/** Builds from `templates/` without any model. The directory is read anew for each job, so a template can be mended in place. */
export function createTemplateEngine(options: { readonly templatesDir: string }): Engine {
  return { name: 'template', write: (request) => write(request, options.templatesDir) };
}

/** A fresh repository may come with these; what a template says goes beside them. */
const NO_CONTENT = /^(?:\.git|\.gitignore|\.gitattributes|README(?:\..*)?|LICENSE(?:\..*)?|CODEOWNERS)$/i;

async function write(request: WriteRequest, templatesDir: string): Promise<Written | EngineFailure> {
  const { payload, base } = request;
  const input = payload.task.inputs.find((input): input is TemplateInput => input.type === 'template');
  if (input === undefined) return { cause: 'final', detail: 'the task names no template' };
  const templates = await readTemplates(templatesDir);
  const template = templates.get(input.name);
  if (template === undefined) {
    const names = [...templates.keys()].join(', ');
    return {
      cause: 'final',
      detail: `there is no template ${JSON.stringify(input.name)}; there are: ${names}`,
    };
  }
  // A former try came from here as well, so it is made anew on what main is by now.
  const isRework = payload.attempt > 1 && base.hasOtherMain;
  if (isRework && !(await base.layOut('main'))) {
    return { cause: 'final', detail: noWayOn('main did not come with the job') };
  }
  const written = await layOut(request, template, input);
  if ('cause' in written || !isRework || (await base.writeChanges()) !== null) return written;
  return { cause: 'final', detail: noWayOn('it would write the same again') };
}

type TemplateInput = Extract<TaskInput, { type: 'template' }>;

async function layOut(
  request: WriteRequest,
  template: Template,
  input: TemplateInput,
): Promise<Written | EngineFailure> {
  const { payload, tree } = request;
  const site = await readSite(tree);
  const isExtended = site !== null && site.template === template.name;
  const values = makeValues({
    given: input.values,
    taskTitle: payload.task.title,
    storyText: payload.storyText,
    project: request.project,
    createdAt: request.createdAt,
    site: isExtended ? site : null,
    lead: template.lead,
  });
  if (isExtended) {
    const extended = await extendBy(template, tree, values);
    if (isFailure(extended)) return extended;
    return {
      summary: `added ${template.extend.adds} to the ${template.name} template's project: ${extended.itemTitle}`,
    };
  }
  const content = (await readdir(tree)).filter((name) => !NO_CONTENT.test(name));
  if (content.length > 0) {
    const made = site === null ? 'made without a template' : `made from the template ${site.template}`;
    return {
      cause: 'final',
      detail: noWayOn(`this project was ${made}, and ${template.name} starts in an empty one`),
    };
  }
  await createFrom(template, tree, values);
  return { summary: `made "${values.title}" from the ${template.name} template` };
}

function isFailure(outcome: TemplateValues | EngineFailure): outcome is EngineFailure {
  return 'cause' in outcome && 'detail' in outcome;
}

interface Site {
  readonly template: string;
  readonly title?: string;
  readonly topic?: string;
  readonly project?: string;
}

/** What a project says of itself; null where it says nothing that can be read. */
async function readSite(tree: string): Promise<Site | null> {
  const path = join(tree, 'site.json');
  // The repository may be anyone's: no link out of it is followed, nothing large is read.
  const stats = await lstat(path).catch(() => null);
  if (!stats?.isFile() || stats.size > 256 * 1024) return null;
  try {
    const site = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown> | null;
    if (typeof site?.template !== 'string') return null;
    const text = (key: string) => (typeof site[key] === 'string' ? { [key]: site[key] } : {});
    return { template: site.template, ...text('title'), ...text('topic'), ...text('project') };
  } catch {
    return null;
  }
}

function noWayOn(why: string): string {
  return `the template engine cannot go on: ${why}. A coding engine with a model can.`;
}
