import {
  CHECK_ID_PATTERN,
  ENVIRONMENT_NAME_PATTERN,
  HttpCriterion,
  PRIORITIES,
  TASK_ID_PATTERN,
} from '@dbox/contracts';
import { z } from 'zod';

/** A day: what takes longer is no task. It also keeps every timer within its range. */
const MAX_MINUTES = 24 * 60;
const MAX_ATTEMPTS = 100;

const text = z.string().min(1, 'it is empty');
const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.union([item, z.array(item).min(1, 'the list is empty')]);
const status = z.int().min(100, 'a status code is 100 to 599').max(599, 'a status code is 100 to 599');
const taskId = z
  .string()
  .regex(TASK_ID_PATTERN, 'it must be a letter or digit, then up to 79 of A-Z a-z 0-9 . _ -');

const templateInput = z.strictObject({
  type: z.literal('template'),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,79}$/, 'a template name is of a-z 0-9 and -')
    .describe('A template of the box, such as `simple-static`, `blog` or `node-api`.'),
  values: z.record(z.string(), z.string()).optional().describe('Names, titles and texts for the template.'),
});
const scriptedInput = z.strictObject({
  type: z.literal('scripted'),
  attempts: z
    .array(text)
    .min(1, 'the list is empty')
    .describe('Directories or patch files relative to this file; the n-th is applied on attempt n.'),
});

/**
 * One item of `acceptance`. A criterion may be written whole, or be split: an item with `url`, `run` or
 * `log` opens one, and the items after it without any of them refine it. So every key is optional here
 * and `acceptance-reader.ts` checks which may stand together.
 */
export const rawAcceptanceItemSchema = z.strictObject({
  url: text
    .optional()
    .describe('An address of the project itself: `http://devsite:8080/path`, or the bare `/path`.'),
  method: HttpCriterion.shape.method.optional().describe('GET where not given.'),
  headers: z.record(z.string(), z.string()).optional().describe('Request headers.'),
  body: z.string().optional().describe('Request body, as text.'),
  should_respond: oneOrMore(status).optional().describe('Allowed status codes; 200 where not given.'),
  contains: oneOrMore(text).optional().describe('Text that the body must contain.'),
  matches: oneOrMore(text).optional().describe('Regular expressions (RE2) that the body must match.'),
  json: z
    .record(z.string(), z.json())
    .optional()
    .describe('Dotted path in the JSON body → expected value, such as `items.0.name`.'),
  max_latency_ms: z.int().positive('it must be above 0').optional().describe('Slowest answer that is good.'),
  run: text.optional().describe('A command that must end with `exit_code` in a clean checkout.'),
  exit_code: z
    .int()
    .min(0, 'it is 0 to 255')
    .max(255, 'it is 0 to 255')
    .optional()
    .describe('0 where not given.'),
  log: z
    .strictObject({ must_not_match: text.describe('A regular expression (RE2).') })
    .optional()
    .describe('No line that the release prints may match.'),
});

/** A task spec as a person writes it: structure only, for reading and for editors. */
export const rawTaskSpecSchema = z
  .strictObject({
    id: taskId.describe('Unique in the box.'),
    title: text.optional().describe('One line; the id where not given.'),
    owner: text.optional().describe('Who is responsible; `manager` where not given.'),
    priority: z.enum(PRIORITIES).optional().describe('`medium` where not given.'),
    description: z.string().optional().describe('What is wanted, for whoever writes the code.'),
    inputs: z
      .array(z.discriminatedUnion('type', [templateInput, scriptedInput]))
      .optional()
      .describe('What the coder starts from.'),
    outputs: z
      .array(z.strictObject({ path: text }))
      .optional()
      .describe('Paths on the share: below /workspace, or relative to /workspace/tasks/<id>.'),
    acceptance: z
      .array(rawAcceptanceItemSchema)
      .optional()
      .describe('What must hold. It gates the release and then watches it.'),
    tests: z
      .array(
        z.strictObject({ run: text.describe('A shell command, run in a clean checkout of the commit.') }),
      )
      .optional()
      .describe('Commands that must pass before a release.'),
    depends_on: z.array(taskId).optional().describe('Tasks that must be in main first.'),
    constraints: z
      .strictObject({
        max_minutes: z
          .number()
          .positive('it must be above 0')
          .max(MAX_MINUTES, `it is at most ${MAX_MINUTES}`)
          .optional()
          .describe('For one job; 30 where not given.'),
        max_attempts: z
          .int()
          .positive('it must be above 0')
          .max(MAX_ATTEMPTS, `it is at most ${MAX_ATTEMPTS}`)
          .optional()
          .describe('3 where not given.'),
        max_tokens: z.int().positive('it must be above 0').optional(),
        max_cost_usd: z.number().positive('it must be above 0').optional(),
        network: z
          .enum(['none', 'host'])
          .optional()
          .describe('For tests: `none` is a private loopback, `host` the network of the host.'),
      })
      .optional(),
    artifacts: z.array(text).optional().describe('Paths in the checkout that are kept after the tests.'),
    environment: z
      .string()
      .regex(ENVIRONMENT_NAME_PATTERN, 'it must be 1 to 48 of a-z 0-9 and -, neither first nor last a hyphen')
      .optional()
      .describe('Where the release runs; `dev` where not given.'),
    retires: z
      .array(z.string().regex(CHECK_ID_PATTERN, 'it must be chk_ and 12 hex digits'))
      .optional()
      .describe('Ids of checks of earlier tasks that this one takes out of service.'),
    spec_kit: z
      .strictObject({ feature: text, task: text })
      .optional()
      .describe('The spec-kit feature directory and task this came from.'),
  })
  .describe('One unit of delivery.');

export type RawTaskSpec = z.output<typeof rawTaskSpecSchema>;
export type RawAcceptanceItem = z.output<typeof rawAcceptanceItemSchema>;

/** How each key is written, for hints. Together they are a task spec that reads without a finding. */
export const TASK_SPEC_EXAMPLES: Readonly<Record<string, string>> = {
  id: 'id: task-001',
  title: 'title: Create blog website',
  owner: 'owner: manager',
  priority: 'priority: high',
  description: 'description: A blog with three posts.',
  inputs: 'inputs: [{type: template, name: simple-static}]',
  type: 'inputs: [{type: template, name: simple-static}]',
  name: 'inputs: [{type: template, name: simple-static}]',
  values: 'inputs: [{type: template, name: blog, values: {title: My blog}}]',
  attempts: 'inputs: [{type: scripted, attempts: [attempts/1, attempts/2]}]',
  outputs: 'outputs: [{path: /workspace/tasks/task-001/src}]',
  path: 'outputs: [{path: /workspace/tasks/task-001/src}]',
  acceptance: 'acceptance: [{url: "http://devsite:8080", should_respond: 200}]',
  url: 'acceptance: [{url: "http://devsite:8080/feed.xml"}]',
  method: 'acceptance: [{url: /posts, method: POST}]',
  headers: 'acceptance: [{url: /, headers: {accept: text/html}}]',
  body: 'acceptance: [{url: /posts, method: POST, body: \'{"title": "Hello"}\'}]',
  should_respond: 'acceptance: [{url: /, should_respond: [200, 304]}]',
  contains: 'acceptance: [{url: /, contains: Welcome}]',
  matches: "acceptance: [{url: /, matches: '<h1>.*</h1>'}]",
  json: 'acceptance: [{url: /items, json: {items.0.name: apple}}]',
  max_latency_ms: 'acceptance: [{url: /, max_latency_ms: 500}]',
  run: 'tests: [{run: ./run-tests.sh}]',
  exit_code: 'acceptance: [{run: npm run lint, exit_code: 0}]',
  log: "acceptance: [{log: {must_not_match: 'ERROR|panic'}}]",
  must_not_match: "acceptance: [{log: {must_not_match: 'ERROR|panic'}}]",
  tests: 'tests: [{run: ./run-tests.sh}]',
  depends_on: 'depends_on: [task-000]',
  constraints: 'constraints: {max_minutes: 30, max_attempts: 3, network: none}',
  max_minutes: 'constraints: {max_minutes: 30}',
  max_attempts: 'constraints: {max_attempts: 3}',
  max_tokens: 'constraints: {max_tokens: 200000}',
  max_cost_usd: 'constraints: {max_cost_usd: 2.5}',
  network: 'constraints: {network: none}',
  artifacts: 'artifacts: [coverage/index.html]',
  environment: 'environment: dev',
  retires: 'retires: [chk_0123456789ab]',
  spec_kit: 'spec_kit: {feature: 001-blog, task: T001}',
  feature: 'spec_kit: {feature: 001-blog, task: T001}',
  task: 'spec_kit: {feature: 001-blog, task: T001}',
};

export const TASK_SPEC_SYNONYMS: Readonly<Record<string, string>> = {
  needs: 'depends_on',
  after: 'depends_on',
  requires: 'depends_on',
  name: 'title',
  prio: 'priority',
  summary: 'title',
  status: 'should_respond',
  expect: 'should_respond',
  command: 'run',
  cmd: 'run',
  regex: 'matches',
  timeout: 'max_minutes',
  retries: 'max_attempts',
  env: 'environment',
  checks: 'acceptance',
  criteria: 'acceptance',
};
