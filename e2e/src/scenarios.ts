import type { Scenario } from './scenario.ts';
import { lyingAgent, slowAgent } from './scenarios/agents.ts';
import { backupAndRestore } from './scenarios/backup.ts';
import { badInput, idempotentSubmission, importAndClone, sideBySide } from './scenarios/bad-input.ts';
import { badComposeFiles, badDockerfiles } from './scenarios/container-bad-input.ts';
import { composeProject } from './scenarios/container-compose.ts';
import { fullDisk, littleSpace } from './scenarios/disk.ts';
import { boundedTests, isolatedTests } from './scenarios/hostile-tests.ts';
import { killAndResume } from './scenarios/kills.ts';
import { tamperedLedger } from './scenarios/ledger.ts';
import { gitMissing, noSandbox } from './scenarios/missing-programs.ts';
import { moveToPostgres } from './scenarios/move-store.ts';
import {
  graphWithConflict,
  reworkBesideMain,
  twoProjects,
  wrongThenRight,
} from './scenarios/recorded-attempts.ts';
import { rollback, selfHealing, smokeFailure } from './scenarios/releases.ts';
import { killedSettings, settings } from './scenarios/settings.ts';
import { stackBackup } from './scenarios/stack/backup.ts';
import { cuts } from './scenarios/stack/cuts.ts';
import { engineRestart } from './scenarios/stack/engine-restart.ts';
import { bareCompose, engineMissing } from './scenarios/stack/first-steps.ts';
import { goldenProfile } from './scenarios/stack/golden-profile.ts';
import { hostileRelease } from './scenarios/stack/hostile-release.ts';
import { leanImages } from './scenarios/stack/images.ts';
import { keptSecrets } from './scenarios/stack/kept-secrets.ts';
import { hostAgent, scaledAgents } from './scenarios/stack/more-agents.ts';
import { releaseKills } from './scenarios/stack/release-kills.ts';
import { serviceKills } from './scenarios/stack/service-kills.ts';
import { storeOutage } from './scenarios/stack/store-outage.ts';
import { blogStory, followUp, seedSpec } from './scenarios/story-to-site.ts';
import { badHalf, crashAtStart, eightSwitches, killedRelease, neverReady } from './scenarios/switching.ts';

export const SCENARIOS: readonly Scenario[] = [
  blogStory,
  seedSpec,
  followUp,
  wrongThenRight,
  graphWithConflict,
  reworkBesideMain,
  twoProjects,
  smokeFailure,
  rollback,
  selfHealing,
  settings,
  killedSettings,
  eightSwitches,
  badHalf,
  crashAtStart,
  neverReady,
  killedRelease,
  killAndResume,
  slowAgent,
  lyingAgent,
  fullDisk,
  littleSpace,
  gitMissing,
  noSandbox,
  tamperedLedger,
  backupAndRestore,
  moveToPostgres,
  badInput,
  idempotentSubmission,
  sideBySide,
  importAndClone,
  isolatedTests,
  boundedTests,
  badDockerfiles,
  badComposeFiles,
  composeProject,
  ...serviceKills,
  releaseKills,
  storeOutage,
  ...cuts,
  scaledAgents,
  hostAgent,
  bareCompose,
  engineMissing,
  goldenProfile,
  leanImages,
  keptSecrets,
  stackBackup,
  hostileRelease,
  engineRestart,
];
