import type { Scenario } from './scenario.ts';
import { badInput, idempotentSubmission, importAndClone, sideBySide } from './scenarios/bad-input.ts';
import { boundedTests, isolatedTests } from './scenarios/hostile-tests.ts';
import { killAndResume } from './scenarios/kills.ts';
import { tamperedLedger } from './scenarios/ledger.ts';
import { graphWithConflict, twoProjects, wrongThenRight } from './scenarios/recorded-attempts.ts';
import { rollback, selfHealing, smokeFailure } from './scenarios/releases.ts';
import { blogStory, followUp, seedSpec } from './scenarios/story-to-site.ts';

export const SCENARIOS: readonly Scenario[] = [
  blogStory,
  seedSpec,
  followUp,
  wrongThenRight,
  graphWithConflict,
  twoProjects,
  smokeFailure,
  rollback,
  selfHealing,
  killAndResume,
  tamperedLedger,
  badInput,
  idempotentSubmission,
  sideBySide,
  importAndClone,
  isolatedTests,
  boundedTests,
];
