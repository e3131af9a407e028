import type { Finding, TaskInput, TaskSpec } from '@dbox/contracts';
import { readAcceptance } from './acceptance-reader.ts';
import type { DocumentPath } from './document-path.ts';
import type { FindingList, FindingText, Place } from './finding-list.ts';
import { createFindingList, quoted, START_OF_FILE } from './finding-list.ts';
import { readBySchema } from './schema-findings.ts';
import { readInnerPath, readOutputPath } from './spec-path.ts';
import type { RawTaskSpec } from './task-spec-schema.ts';
import { rawTaskSpecSchema, TASK_SPEC_EXAMPLES, TASK_SPEC_SYNONYMS } from './task-spec-schema.ts';
import type { YamlDocument } from './yaml-document.ts';
import { parseYaml } from './yaml-document.ts';

/** A page of YAML is about 3 KB; a larger document is not written by a person, and parsing takes time. */
export const MAX_SPEC_BYTES = 128 * 1024;

/** Where one spec was written. */
export interface SpecSource {
  readonly file: string;
  /**
   * The place of a path within the spec, such as `['depends_on', 0]`, or of the nearest thing above it
   * that was written down. The place's own path is that in the document.
   */
  locate(path: DocumentPath): Place;
}

export interface ReadTaskSpecs {
  /** Specs without errors, in the order they were written, every default filled in. */
  readonly specs: TaskSpec[];
  /** In the order of `specs`, for `checkTaskGraph`. */
  readonly sources: SpecSource[];
  readonly findings: Finding[];
}

/**
 * Reads the task specs of one file: one document or several after `---`, each with one spec, a list of
 * specs or `tasks: [...]`. How they hang together is for `checkTaskGraph`. Never throws.
 */
export function readTaskSpecs(input: { readonly file: string; readonly yaml: string }): ReadTaskSpecs {
  const findings = createFindingList(input.file);
  const specs: TaskSpec[] = [];
  const sources: SpecSource[] = [];
  const documents = parseYaml({ text: input.yaml, maxBytes: MAX_SPEC_BYTES, findings });
  for (const document of documents) {
    for (const { value, at } of specsOf(document, findings)) {
      const spec = readOne({ document, value, at, findings });
      if (spec === null) continue;
      specs.push(spec);
      sources.push({ file: input.file, locate: (path) => document.locate([...at, ...path]) });
    }
  }
  if (specs.length === 0 && !findings.hasError()) {
    findings.add(START_OF_FILE, {
      code: 'empty_document',
      message: 'The file holds no task spec.',
      hint: 'Begin with `id: task-001`; see specs/create-blog.yaml.',
    });
  }
  return { specs, sources, findings: findings.sorted() };
}

/** The specs within a document: itself, the items of a list, or those below `tasks`. */
function specsOf(document: YamlDocument, findings: FindingList): { value: unknown; at: DocumentPath }[] {
  const { value } = document;
  if (Array.isArray(value)) return value.map((item, index) => ({ value: item, at: [index] }));
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'tasks'))
    return [{ value, at: [] }];
  for (const key of Object.keys(value).filter((key) => key !== 'tasks')) {
    findings.add(document.locateKey([key]), {
      code: 'unknown_key',
      message: `There is no key ${quoted(key)} beside \`tasks\`.`,
      hint: 'Put it into each task.',
    });
  }
  const { tasks } = value as { tasks: unknown };
  if (Array.isArray(tasks)) return tasks.map((item, index) => ({ value: item, at: ['tasks', index] }));
  findings.add(document.locate(['tasks']), {
    code: 'wrong_type',
    message: '"tasks" must be a list of task specs.',
    hint: 'Begin each task with `- id: …`.',
  });
  return [];
}

interface Reading {
  readonly document: YamlDocument;
  readonly value: unknown;
  readonly at: DocumentPath;
  readonly findings: FindingList;
}

/** Null where it has an error. */
function readOne({ document, value, at, findings }: Reading): TaskSpec | null {
  const raw = readBySchema(rawTaskSpecSchema, value, {
    document,
    at,
    findings,
    examples: TASK_SPEC_EXAMPLES,
    synonyms: TASK_SPEC_SYNONYMS,
  });
  let isGood = raw !== null;
  const report = (path: DocumentPath, text: FindingText) => {
    if (text.severity !== 'warning') isGood = false;
    findings.add(document.locate([...at, ...path]), text);
  };
  // A person wants to hear of a bad address in the same run as of a misspelt key elsewhere.
  const spec = fillIn(raw ?? readableParts(value), report);
  if (raw !== null && spec.tests.length === 0 && raw.acceptance === undefined) {
    report([], {
      code: 'no_way_to_check',
      severity: 'warning',
      message: `Nothing says how to check ${quoted(raw.id)}: neither \`tests\` nor \`acceptance\`.`,
      hint: 'Add `acceptance` or `tests`, else the task ends as could_not_run.',
    });
  }
  return isGood ? spec : null;
}

/** What has the right structure in a spec that as a whole has not. */
function readableParts(value: unknown): RawTaskSpec {
  const parts: Record<string, unknown> = {};
  if (typeof value === 'object' && value !== null) {
    for (const [key, schema] of Object.entries(rawTaskSpecSchema.shape)) {
      const read = schema.safeParse((value as Record<string, unknown>)[key]);
      if (read.success && read.data !== undefined) parts[key] = read.data;
    }
  }
  return { id: 'task-001', ...parts };
}

function fillIn(raw: RawTaskSpec, report: (path: DocumentPath, text: FindingText) => void): TaskSpec {
  const pathAt = (path: DocumentPath, read: { path: string } | FindingText): string => {
    if ('path' in read) return read.path;
    report(path, read);
    return '';
  };
  for (const key of ['title', 'owner'] as const) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal.
    if (/[\u0000-\u001f\u007f-\u009f]/.test(raw[key] ?? '')) {
      report([key], {
        code: 'control_character',
        message: `"${key}" holds a line break or another control character.`,
        hint: 'Write one line; longer texts belong in `description`.',
      });
    }
  }
  const constraints = raw.constraints ?? {};
  return {
    id: raw.id,
    title: raw.title ?? raw.id,
    owner: raw.owner ?? 'manager',
    priority: raw.priority ?? 'medium',
    description: raw.description ?? '',
    inputs: (raw.inputs ?? []).map(
      (input, index): TaskInput =>
        input.type === 'template'
          ? { type: 'template', name: input.name, values: input.values ?? {} }
          : {
              type: 'scripted',
              attempts: input.attempts.map((attempt, n) =>
                pathAt(['inputs', index, 'attempts', n], readInnerPath(attempt)),
              ),
            },
    ),
    outputs: (raw.outputs ?? []).map(({ path }, index) => ({
      path: pathAt(['outputs', index, 'path'], readOutputPath(path, raw.id)),
    })),
    acceptance: readAcceptance(raw.acceptance ?? [], (path, text) => report(['acceptance', ...path], text)),
    tests: (raw.tests ?? []).map(({ run }) => ({ run })),
    dependsOn: [...new Set(raw.depends_on ?? [])],
    constraints: {
      maxMinutes: constraints.max_minutes ?? 30,
      maxAttempts: constraints.max_attempts ?? 3,
      maxTokens: constraints.max_tokens ?? null,
      maxCostUsd: constraints.max_cost_usd ?? null,
      network: constraints.network ?? 'none',
    },
    artifacts: (raw.artifacts ?? []).map((path, index) => pathAt(['artifacts', index], readInnerPath(path))),
    environment: raw.environment ?? 'dev',
    retires: [...new Set(raw.retires ?? [])],
    specKit: raw.spec_kit ? { feature: raw.spec_kit.feature, task: raw.spec_kit.task } : null,
  };
}
