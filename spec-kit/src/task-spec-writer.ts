import type { Criterion, TaskSpec } from '@dbox/contracts';
import { Document, isScalar, visit } from 'yaml';

/**
 * Characters that a reader or an editor would refuse, drop or not show; they are written as escapes.
 * Control characters below U+0020 are the library's own work.
 */
const UNSHOWN = /[\u007f-\u009f\u2028\u2029\ufeff\ufffd\ufffe\uffff]/g;

/** YAML that a person can read and `readTaskSpecs` reads back to the same spec. Defaults are left out. */
export function writeTaskSpec(spec: TaskSpec): string {
  const document = new Document(rawForm(spec));
  visit(document, {
    Scalar(_, node) {
      if (isScalar(node) && typeof node.value === 'string' && node.value.search(UNSHOWN) >= 0) {
        node.type = 'QUOTE_DOUBLE';
      }
    },
  });
  const text = document.toString({ lineWidth: 0, minContentWidth: 0 });
  // They stand within double quotes alone, so an escape means the same.
  return text.replace(UNSHOWN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function rawForm(spec: TaskSpec): Record<string, unknown> {
  const { constraints } = spec;
  return without({
    id: spec.id,
    title: spec.title === spec.id ? null : spec.title,
    owner: spec.owner,
    priority: spec.priority,
    description: spec.description === '' ? null : spec.description,
    inputs: list(
      spec.inputs.map((input) =>
        input.type === 'template'
          ? without({ type: input.type, name: input.name, values: map(input.values) })
          : { type: input.type, attempts: input.attempts },
      ),
    ),
    outputs: list(spec.outputs),
    acceptance: list(spec.acceptance.map(rawCriterion)),
    tests: list(spec.tests),
    depends_on: list(spec.dependsOn),
    constraints: map(
      without({
        max_minutes: constraints.maxMinutes === 30 ? null : constraints.maxMinutes,
        max_attempts: constraints.maxAttempts === 3 ? null : constraints.maxAttempts,
        max_tokens: constraints.maxTokens,
        max_cost_usd: constraints.maxCostUsd,
        network: constraints.network === 'none' ? null : constraints.network,
      }),
    ),
    artifacts: list(spec.artifacts),
    environment: spec.environment === 'dev' ? null : spec.environment,
    retires: list(spec.retires),
    spec_kit: spec.specKit,
  });
}

function rawCriterion(criterion: Criterion): Record<string, unknown> {
  if (criterion.kind === 'command') return { run: criterion.run, exit_code: criterion.exitCode };
  if (criterion.kind === 'log') return { log: { must_not_match: criterion.mustNotMatch } };
  return without({
    url: `http://devsite:8080${criterion.path}`,
    method: criterion.method === 'GET' ? null : criterion.method,
    headers: map(criterion.headers),
    body: criterion.body,
    should_respond: one(criterion.statuses),
    contains: one(criterion.contains),
    matches: one(criterion.matches),
    json: map(criterion.json),
    max_latency_ms: criterion.maxLatencyMs,
  });
}

/** Leaves out what is null, which is how a default is marked here. */
function without(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
}

function list<T>(items: readonly T[]): readonly T[] | null {
  return items.length === 0 ? null : items;
}

function one<T>(items: readonly T[]): T | readonly T[] | null {
  return items.length === 1 ? items[0]! : list(items);
}

function map<T extends object>(record: T): T | null {
  return Object.keys(record).length === 0 ? null : record;
}
