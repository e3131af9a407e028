import {
  INCIDENT_TRANSITIONS,
  JOB_TRANSITIONS,
  RELEASE_TRANSITIONS,
  STORY_TRANSITIONS,
  TASK_TRANSITIONS,
} from '../manager/src/domain/lifecycles.ts';

type Transitions = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;

const MACHINES: readonly (readonly [string, Transitions])[] = [
  ['Story', STORY_TRANSITIONS],
  ['Task', TASK_TRANSITIONS],
  ['Job', JOB_TRANSITIONS],
  ['Release', RELEASE_TRANSITIONS],
  ['Incident', INCIDENT_TRANSITIONS],
];

/** The lifecycle tables as Mermaid diagrams; each begins at the status that its table names first. */
export function generateStateMachines(): string {
  const intro = `# State machines

Drawn from the tables in \`manager/src/domain/lifecycles.ts\` by \`npm run generate\`; do not edit.
No other transition exists: an attempt at one is refused with \`illegal_transition\`.
`;
  return [intro, ...MACHINES.map(([noun, table]) => section(noun, table))].join('\n');
}

function section(noun: string, table: Transitions): string {
  const statuses = Object.keys(table);
  const lines = [`[*] --> ${statuses[0]}`];
  for (const from of statuses) {
    const next = Object.entries(table[from]!).filter(([, cause]) => cause !== undefined);
    for (const [to, cause] of next) lines.push(`${from} --> ${to}: ${plain(cause!)}`);
    if (next.length === 0) lines.push(`${from} --> [*]`);
  }
  return `## ${noun}\n\n\`\`\`mermaid\nstateDiagram-v2\n${lines.map((line) => `  ${line}\n`).join('')}\`\`\`\n`;
}

/** Mermaid reads `;` as the end of a statement, a second `:` and `#` as syntax of its own. */
function plain(cause: string): string {
  return cause.replaceAll(/[;:]/g, ',').replaceAll('#', '');
}
