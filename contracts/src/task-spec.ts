import { z } from 'zod';
import { Criterion } from './check.ts';
import { CheckId, EnvironmentName, TaskId } from './names.ts';

export const PRIORITIES = ['low', 'medium', 'high', 'critical'] as const;

export const TemplateInput = z.object({
  type: z.literal('template'),
  name: z.string(),
  /** The story's own words, for names, titles and texts. */
  values: z.record(z.string(), z.string()),
});
export const ScriptedInput = z.object({
  type: z.literal('scripted'),
  /** Directories or patch files relative to the spec file; the n-th is applied on attempt n. */
  attempts: z.array(z.string()).min(1),
});
export const TaskInput = z.discriminatedUnion('type', [TemplateInput, ScriptedInput]);

export const Constraints = z.object({
  maxMinutes: z.number().positive(),
  maxAttempts: z.int().positive(),
  maxTokens: z.int().positive().nullable(),
  maxCostUsd: z.number().positive().nullable(),
  /** `none`: a private loopback only. `host`: the host's network, for tests that need it. */
  network: z.enum(['none', 'host']),
});

/** A task spec after reading: every short form written out, every default filled in. */
export const TaskSpec = z.object({
  id: TaskId,
  title: z.string(),
  owner: z.string(),
  priority: z.enum(PRIORITIES),
  description: z.string(),
  inputs: z.array(TaskInput),
  /** Paths on the share, always below `/workspace`. */
  outputs: z.array(z.object({ path: z.string() })),
  acceptance: z.array(Criterion),
  tests: z.array(z.object({ run: z.string() })),
  dependsOn: z.array(TaskId),
  constraints: Constraints,
  /** Paths in the checkout kept as artifacts after the tests. */
  artifacts: z.array(z.string()),
  environment: EnvironmentName,
  /** Checks of earlier tasks that this one takes out of service. */
  retires: z.array(CheckId),
  specKit: z.object({ feature: z.string(), task: z.string() }).nullable(),
});

export type TaskInput = z.infer<typeof TaskInput>;
export type TaskSpec = z.infer<typeof TaskSpec>;
export type Priority = (typeof PRIORITIES)[number];
