import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export type Files = Readonly<Record<string, string>>;

export interface RecordedTask {
  readonly id: string;
  readonly title?: string;
  /** The files that each attempt lays over the tree. */
  readonly attempts: readonly Files[];
  readonly tests?: readonly string[];
  /** YAML lines below `acceptance:`. */
  readonly acceptance?: string;
  readonly dependsOn?: readonly string[];
  /** More YAML lines at the top level. */
  readonly more?: string;
}

/** Writes a spec file with its recorded attempts; several tasks become several documents. Returns its path. */
export async function recordTasks(directory: string, tasks: readonly RecordedTask[]): Promise<string> {
  const documents: string[] = [];
  for (const task of tasks) {
    const names: string[] = [];
    for (const [index, files] of task.attempts.entries()) {
      const name = `${task.id}-attempt-${index + 1}`;
      names.push(name);
      for (const [path, text] of Object.entries(files)) {
        const file = join(directory, name, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
        if (text.startsWith('#!')) await chmod(file, 0o755);
      }
    }
    documents.push(documentOf(task, names));
  }
  const file = join(directory, `${tasks[0]!.id}.yaml`);
  await writeFile(file, documents.join('---\n'));
  return file;
}

function documentOf(task: RecordedTask, attempts: readonly string[]): string {
  return [
    `id: ${task.id}`,
    `title: ${task.title ?? `Task ${task.id}`}`,
    'inputs:',
    '  - type: scripted',
    '    attempts:',
    ...attempts.map((name) => `      - ${name}`),
    ...(task.dependsOn ? [`depends_on: [${task.dependsOn.join(', ')}]`] : []),
    ...(task.tests?.length ? ['tests:', ...task.tests.map((run) => `  - run: ${JSON.stringify(run)}`)] : []),
    ...(task.acceptance ? ['acceptance:', task.acceptance.trimEnd()] : []),
    ...(task.more ? [task.more.trimEnd()] : []),
    '',
  ].join('\n');
}

/** A static page that says this. */
export function page(text: string): Files {
  return {
    'index.html': `<!doctype html><title>${text}</title><h1>${text}</h1>\n`,
    'dbox.yaml': 'static: .\n',
  };
}

/** A test file that node's runner counts, green or red. */
export function nodeTest(name: string, body: string): Files {
  return {
    [`test/${name}.test.mjs`]: `import assert from 'node:assert/strict';\nimport { readFileSync, existsSync } from 'node:fs';\nimport { test } from 'node:test';\ntest('${name}', () => {\n${body}\n});\n`,
  };
}

/** A small service that answers with its version, and misbehaves where told to. */
export function service(version: string, more = ''): Files {
  return {
    'dbox.yaml': 'run: node server.mjs\n',
    'server.mjs': `import { createServer } from 'node:http';\n${more}\nconst server = createServer((request, response) => {\n  if (globalThis.answer?.(request, response)) return;\n  response.end('version ${version}');\n});\nserver.listen(Number(process.env.PORT), process.env.HOST ?? '127.0.0.1');\nprocess.on('SIGTERM', () => process.exit(0));\n`,
  };
}
