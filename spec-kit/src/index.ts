export { compileChecks } from './compile-checks.ts';
export { rawDboxYamlSchema } from './dbox-yaml-schema.ts';
export { readRunPlan } from './run-plan-reader.ts';
export { checkTaskGraph } from './task-graph.ts';
export type { ReadTaskSpecs, SpecSource } from './task-spec-reader.ts';
export { MAX_SPEC_BYTES, readTaskSpecs } from './task-spec-reader.ts';
export { rawTaskSpecSchema } from './task-spec-schema.ts';
export { writeTaskSpec } from './task-spec-writer.ts';
