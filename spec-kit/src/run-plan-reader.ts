import { posix } from 'node:path';
import type { Finding, RunPlan } from '@dbox/contracts';
import type { z } from 'zod';
import { rawDboxYamlSchema } from './dbox-yaml-schema.ts';
import type { FindingList } from './finding-list.ts';
import { createFindingList, quoted, START_OF_FILE } from './finding-list.ts';
import { readBySchema } from './schema-findings.ts';
import { readInnerPath } from './spec-path.ts';
import type { YamlDocument } from './yaml-document.ts';
import { parseYaml } from './yaml-document.ts';

const FILE = 'dbox.yaml';
const MAX_DBOX_YAML_BYTES = 16 * 1024;
/** Where a site's start page is looked for, in this order. */
const STATIC_ROOTS = ['.', 'public', 'dist'] as const;
/** The names that Compose itself looks for, in its order. */
const COMPOSE_FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'] as const;
const DOCKERFILE = 'Dockerfile';
/** A project is run in exactly one of these ways. */
const WAYS = ['run', 'static', 'dockerfile', 'compose'] as const;
const NOTHING: RunPlan = { kind: 'nothing' };

export interface CommitFiles {
  /** The text of `dbox.yaml` at the root of the commit; null where there is none. */
  readonly dboxYaml: string | null;
  /** The text of `package.json` at the root of the commit; null where there is none. */
  readonly packageJson: string | null;
  /** All files of the commit, relative, with `/`. */
  readonly paths: readonly string[];
  /** Whether releases run in containers here; where not, another way to run the project is preferred. */
  readonly containers: boolean;
}

export interface ReadRunPlan {
  /** `nothing` where the findings hold an error: such a commit must not be released. */
  readonly plan: RunPlan;
  readonly findings: Finding[];
}

/**
 * How a commit is run: by its `dbox.yaml`, else by its compose file, else by its Dockerfile, else by
 * `npm start`, else as static files, else not at all. Where there are no containers the two that need
 * them come last: such a plan is refused at its release, which says what is missing.
 */
export function readRunPlan({ dboxYaml, packageJson, paths, containers }: CommitFiles): ReadRunPlan {
  if (dboxYaml !== null) return readDboxYaml(dboxYaml, paths);
  const files = new Set(paths);
  const contained = findContainerPlan(files);
  if (containers && contained !== null) return { plan: contained, findings: [] };
  const read = readProcessPlan(packageJson, files);
  return read.plan.kind === 'nothing' && contained !== null ? { ...read, plan: contained } : read;
}

function findContainerPlan(files: ReadonlySet<string>): RunPlan | null {
  const compose = COMPOSE_FILES.find((name) => files.has(name));
  if (compose !== undefined) return { kind: 'compose', path: compose, from: compose };
  if (files.has(DOCKERFILE)) return { kind: 'dockerfile', path: DOCKERFILE, port: null, from: DOCKERFILE };
  return null;
}

function readProcessPlan(packageJson: string | null, files: ReadonlySet<string>): ReadRunPlan {
  const findings: Finding[] = [];
  if (packageJson !== null) {
    const { scripts, problem } = readScripts(packageJson);
    if (problem !== null) findings.push(problem);
    if (scripts.start) {
      const build = scripts.build ? 'npm run build' : null;
      return { plan: { kind: 'command', build, run: 'npm start', from: 'npm start' }, findings };
    }
  }
  for (const root of STATIC_ROOTS) {
    const page = root === '.' ? 'index.html' : `${root}/index.html`;
    if (files.has(page)) return { plan: { kind: 'static', build: null, root, from: page }, findings };
  }
  return { plan: NOTHING, findings };
}

function readDboxYaml(text: string, paths: readonly string[]): ReadRunPlan {
  const findings = createFindingList(FILE);
  const documents = parseYaml({ text, maxBytes: MAX_DBOX_YAML_BYTES, findings });
  const plan = readDocuments(documents, paths, findings);
  return { plan: findings.hasError() || plan === null ? NOTHING : plan, findings: findings.sorted() };
}

/** Null with an error among the findings. */
function readDocuments(
  documents: readonly YamlDocument[],
  paths: readonly string[],
  findings: FindingList,
): RunPlan | null {
  const [document, second] = documents;
  if (document === undefined) {
    if (!findings.hasError()) {
      findings.add(START_OF_FILE, {
        code: 'empty_document',
        message: 'dbox.yaml is empty.',
        hint: 'Write `run: node server.js` or `static: public`, or delete the file.',
      });
    }
    return null;
  }
  if (second !== undefined) {
    findings.add(second.locate([]), {
      code: 'bad_value',
      message: 'dbox.yaml holds more than one document.',
      hint: 'Keep what stands before the second `---`.',
    });
    return null;
  }
  const raw = readBySchema(rawDboxYamlSchema, document.value, {
    document,
    at: [],
    findings,
    examples: {
      build: 'build: npm run build',
      run: 'run: node server.js',
      static: 'static: public',
      dockerfile: 'dockerfile: Dockerfile',
      compose: 'compose: compose.yaml',
      port: 'port: 8080',
    },
    synonyms: { start: 'run', command: 'run', dir: 'static', root: 'static', docker: 'dockerfile' },
  });
  return raw === null ? null : planOf(raw, { document, paths, findings });
}

interface Around {
  readonly document: YamlDocument;
  readonly paths: readonly string[];
  readonly findings: FindingList;
}

function planOf(raw: z.output<typeof rawDboxYamlSchema>, around: Around): RunPlan | null {
  const { document, findings } = around;
  const [way, other] = WAYS.filter((key) => raw[key] !== undefined);
  if (way === undefined) {
    findings.add(document.locate([]), {
      code: 'missing_key',
      message: 'None of `run`, `static`, `dockerfile` and `compose` is given.',
      hint: 'Add `run: node server.js` or `static: public`.',
    });
    return null;
  }
  if (other !== undefined) {
    findings.add(document.locateKey([other]), {
      code: 'bad_value',
      message: `\`${way}\` and \`${other}\` exclude each other.`,
      hint: 'Keep `run` where a program serves the project, `static` where it is files, `dockerfile` or `compose` where it comes as containers.',
    });
    return null;
  }
  const build = raw.build ?? null;
  const isContained = way === 'dockerfile' || way === 'compose';
  if (build !== null && isContained) {
    findings.add(document.locateKey(['build']), {
      code: 'bad_value',
      message: `\`build\` and \`${way}\` exclude each other.`,
      hint: 'Leave `build` out: what must be built stands in the Dockerfile.',
    });
    return null;
  }
  if (raw.port !== undefined && way !== 'dockerfile') {
    findings.add(document.locateKey(['port']), {
      code: 'bad_value',
      message: `\`port\` belongs to \`dockerfile\`, not to \`${way}\`.`,
      hint:
        way === 'compose'
          ? 'Leave it out and give the web service a `ports` line in the compose file.'
          : 'Leave it out: the box chooses the port and gives it as PORT.',
    });
    return null;
  }
  if (raw.run !== undefined) return { kind: 'command', build, run: raw.run, from: FILE };
  if (raw.static !== undefined) return readStaticRoot(raw.static, build, around);
  const path = readFilePath(raw[way]!, way, around);
  if (path === null) return null;
  if (way === 'compose') return { kind: 'compose', path, from: FILE };
  return { kind: 'dockerfile', path, port: raw.port ?? null, from: FILE };
}

function readFilePath(written: string, key: string, { document, paths, findings }: Around): string | null {
  const read = readInnerPath(written);
  if ('code' in read) {
    findings.add(document.locate([key]), read);
    return null;
  }
  const path = posix.normalize(read.path);
  if (paths.includes(path)) return path;
  findings.add(document.locate([key]), {
    code: 'bad_path',
    message: `The commit holds no file ${quoted(path)}.`,
    hint: 'Name a file of the commit, relative to its root.',
  });
  return null;
}

function readStaticRoot(written: string, build: string | null, around: Around): RunPlan | null {
  const { document, paths, findings } = around;
  const read = readInnerPath(written);
  if ('code' in read) {
    findings.add(document.locate(['static']), read);
    return null;
  }
  const root = posix.normalize(read.path).replace(/\/$/, '');
  const isThere = root === '.' || paths.some((path) => path.startsWith(`${root}/`));
  // What a build makes can only be known after it.
  if (build === null && !isThere) {
    findings.add(document.locate(['static']), {
      code: 'bad_path',
      message: `The commit holds no directory ${JSON.stringify(root)}.`,
      hint: 'Name a directory of the commit, or give the `build` that makes it.',
    });
    return null;
  }
  return { kind: 'static', build, root, from: FILE };
}

/** Only whether they are there: npm itself runs them. */
function readScripts(packageJson: string): {
  scripts: { start: boolean; build: boolean };
  problem: Finding | null;
} {
  let scripts: unknown;
  let problem: Finding | null = null;
  try {
    scripts = (JSON.parse(packageJson) as { scripts?: unknown } | null)?.scripts;
  } catch {
    const list = createFindingList('package.json');
    list.add(START_OF_FILE, {
      code: 'json_syntax',
      severity: 'warning',
      message: 'package.json is no JSON, so its scripts are not used.',
      hint: 'Mend it, or say in dbox.yaml how the project is run.',
    });
    problem = list.sorted()[0] ?? null;
  }
  const has = (name: string): boolean => {
    if (typeof scripts !== 'object' || scripts === null || !Object.hasOwn(scripts, name)) return false;
    const script = (scripts as Record<string, unknown>)[name];
    return typeof script === 'string' && script.trim() !== '';
  };
  return { scripts: { start: has('start'), build: has('build') }, problem };
}
