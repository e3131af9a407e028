import { Agent, Artifact, Check, Event, Incident, Job, Release, Story, Task, Verdict } from '@dbox/contracts';
import { rawDboxYamlSchema, rawTaskSpecSchema } from '@dbox/spec-kit';
import { problemSchema } from '../manager/src/http/openapi.ts';
import { toJsonSchema } from '../manager/src/http/openapi-components.ts';

type ZodSchema = Parameters<typeof toJsonSchema>[0];
type Noun = { readonly noun: string; readonly schema: Record<string, unknown> };

/** What a person writes: editors can check a file against these. */
const WRITTEN: readonly (readonly [string, ZodSchema])[] = [
  ['dbox-yaml', rawDboxYamlSchema],
  ['task-spec', rawTaskSpecSchema],
  [
    'plan',
    rawTaskSpecSchema.array().min(1).describe('The tasks of one story, tied together by `depends_on`.'),
  ],
];

/** What the box answers. */
const ANSWERED: readonly (readonly [string, ZodSchema])[] = [
  ['agent', Agent],
  ['artifact', Artifact],
  ['check', Check],
  ['event', Event],
  ['incident', Incident],
  ['job', Job],
  ['release', Release],
  ['story', Story],
  ['task', Task],
  ['verdict', Verdict],
];

/** One self-contained JSON Schema for each noun. */
export function generateSchemas(): readonly Noun[] {
  return [
    ...WRITTEN.map(([noun, schema]) => named(noun, toJsonSchema(schema, 'input'))),
    ...ANSWERED.map(([noun, schema]) => named(noun, toJsonSchema(schema, 'output'))),
    named('problem', problemSchema()),
  ];
}

function named(noun: string, { $schema: _, ...schema }: Record<string, unknown>): Noun {
  // The one schema without a name of its own is `z.json()`, which refers to itself.
  const text = JSON.stringify(schema).replaceAll('__schema0', 'Json');
  if (text.includes('__schema')) throw new TypeError(`the schema ${noun} needs names for its inner schemas`);
  return {
    noun,
    schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: noun,
      ...(JSON.parse(text) as Record<string, unknown>),
    },
  };
}
