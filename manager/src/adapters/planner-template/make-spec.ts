import type { TaskSpec } from '@dbox/contracts';
import { readTaskSpecs } from '@dbox/spec-kit';
import type { z } from 'zod';
import { cleanLine, cleanText } from './story-text.ts';
import type { Template } from './template-catalog.ts';

/** Enough for whoever writes the code; the whole story comes with the job. */
const MAX_DESCRIPTION_CHARACTERS = 4_000;
const MAX_TITLE_CHARACTERS = 100;

type Acceptance = Template['acceptance'];

export interface PlannedTask {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly template: string;
  readonly values: Readonly<Record<string, string>>;
  readonly acceptance: Acceptance;
  readonly tests: readonly { readonly run: string }[];
  readonly dependsOn: readonly string[];
}

/** Read by the very reader that people's specs go through, so a plan can hold nothing that it would refuse. */
export function makeSpec(task: PlannedTask): TaskSpec {
  const written = {
    id: task.id,
    title: cleanLine(task.title, MAX_TITLE_CHARACTERS) || task.id,
    description: cleanText(task.description, MAX_DESCRIPTION_CHARACTERS),
    inputs: [{ type: 'template', name: task.template, values: task.values }],
    outputs: [{ path: `/workspace/tasks/${task.id}/src` }],
    acceptance: task.acceptance,
    tests: task.tests,
    depends_on: task.dependsOn,
  };
  // JSON is YAML too.
  const { specs, findings } = readTaskSpecs({ file: `${task.id}.yaml`, yaml: JSON.stringify(written) });
  const [spec] = specs;
  if (spec !== undefined) return spec;
  const problem = findings.find((finding) => finding.severity === 'error');
  throw new Error(`the planned task ${task.id} is not valid: ${problem?.path} ${problem?.message}`);
}

/** A template's criteria with its slugs put in. */
export function fillAcceptance(acceptance: Acceptance, slugs: Readonly<Record<string, string>>): Acceptance {
  const fill = (value: z.core.util.JSONType): z.core.util.JSONType => {
    if (typeof value === 'string') {
      return value.replace(/\{\{(\w+)\}\}/g, (all, name: string) => slugs[name] ?? all);
    }
    if (Array.isArray(value)) return value.map(fill);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item)]));
  };
  return acceptance.map((criterion) => fill(criterion) as Acceptance[number]);
}

/**
 * Pages must also show the words they were made with. `isPage` says which criteria are of such a page;
 * those that look for a tag in it are.
 */
export function expectWords(
  acceptance: Acceptance,
  words: string,
  isPage: (url: string) => boolean,
): Acceptance {
  const fragment = plainFragment(words);
  if (fragment === null) return acceptance;
  return acceptance.map((criterion) => {
    const { url, contains } = criterion;
    if (typeof url !== 'string' || !isPage(url)) return criterion;
    if (typeof contains !== 'string' || !contains.startsWith('<')) return criterion;
    return { ...criterion, contains: [contains, fragment] };
  });
}

/** The longest run that stands in HTML, XML and JSON as it is, so that no escaping matters. */
function plainFragment(words: string): string | null {
  const runs = words.split(/[^\p{L}\p{M}\p{N}\p{S}\p{P}\p{Zs}]|[&<>"'`\\]/u).map((run) => run.trim());
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  return longest.length >= 2 ? longest : null;
}
