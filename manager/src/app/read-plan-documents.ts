import type { Attachment, Finding, SpecDocument, TaskSpec } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import type { SpecSource } from '@dbox/spec-kit';
import { checkTaskGraph, readTaskSpecs } from '@dbox/spec-kit';

export interface PlannedDocuments {
  readonly specs: readonly TaskSpec[];
  /** The recorded attempts of each task, in the order of its `attempts`. */
  readonly attachments: ReadonlyMap<string, readonly Attachment[]>;
}

/**
 * A person's task specs, or every finding in them at once as `invalid_spec`. `known` are ids of
 * earlier tasks of the same project that may be depended on.
 */
export function readPlanDocuments(
  documents: readonly SpecDocument[],
  given: { readonly known: readonly string[]; readonly templates: readonly string[] },
): PlannedDocuments {
  const specs: TaskSpec[] = [];
  const sources: SpecSource[] = [];
  const findings: Finding[] = [];
  const attachments = new Map<string, readonly Attachment[]>();

  for (const document of documents) {
    const read = readTaskSpecs(document);
    findings.push(...read.findings);
    for (const [index, spec] of read.specs.entries()) {
      const source = read.sources[index]!;
      specs.push(spec);
      sources.push(source);
      findings.push(...findUnknownTemplates(spec, source, given.templates));
      const recorded = recordedAttempts(spec, source, document.attachments);
      findings.push(...recorded.findings);
      attachments.set(spec.id, recorded.attachments);
    }
  }
  findings.push(...checkTaskGraph({ specs, sources, known: given.known }));
  const errors = findings.filter((finding) => finding.severity === 'error');
  if (errors.length > 0 || specs.length === 0) {
    const first = errors[0];
    throw new ProblemError(
      findings.some((finding) => finding.code === 'unknown_template') ? 'template_unknown' : 'invalid_spec',
      first
        ? `${first.file}:${first.line}:${first.column}: ${first.message} ${first.hint}${more(errors.length - 1)}`
        : 'the documents hold no task spec; see specs/examples for how one looks',
      { findings },
    );
  }
  return { specs, attachments };
}

function more(count: number): string {
  return count === 0 ? '' : ` (and ${count} more)`;
}

function findUnknownTemplates(spec: TaskSpec, source: SpecSource, templates: readonly string[]): Finding[] {
  return spec.inputs.flatMap((input, index) => {
    if (input.type !== 'template' || templates.includes(input.name)) return [];
    const path = ['inputs', index, 'name'];
    return [
      {
        code: 'unknown_template',
        severity: 'error' as const,
        file: source.file,
        ...source.locate(path),
        message: `There is no template "${input.name}".`,
        hint: `Write one of: ${templates.join(', ')}.`,
      },
    ];
  });
}

function recordedAttempts(
  spec: TaskSpec,
  source: SpecSource,
  given: readonly Attachment[],
): { attachments: Attachment[]; findings: Finding[] } {
  const attachments: Attachment[] = [];
  const findings: Finding[] = [];
  for (const [index, input] of spec.inputs.entries()) {
    if (input.type !== 'scripted') continue;
    for (const [n, attempt] of input.attempts.entries()) {
      const attachment = given.find((one) => one.attempt === attempt);
      if (attachment) {
        attachments.push(attachment);
        continue;
      }
      findings.push({
        code: 'missing_attachment',
        severity: 'error',
        file: source.file,
        ...source.locate(['inputs', index, 'attempts', n]),
        message: `The recorded attempt "${attempt}" was not sent along.`,
        hint: 'Submit the file with `dbox story -f`, which sends the directory or patch, and check that the path is right relative to the spec file.',
      });
    }
  }
  return { attachments, findings };
}
