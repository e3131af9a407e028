export type {
  AgentOptions,
  AgentTiming,
  HandledKind,
  JobContext,
  JobHandler,
  LogLevel,
  PayloadOf,
  ResultOf,
  RunningAgent,
} from './agent.ts';
export type { Clock } from './clock.ts';
export { systemClock } from './clock.ts';
export type { AgentConfig } from './config.ts';
export { AgentConfigError, readAgentConfig } from './config.ts';
export type { GitOptions, GitOutput } from './git.ts';
export { GitError, git } from './git.ts';
export { JobFailure, LeaseGone } from './job-failure.ts';
export type { FailureClass, RetryOptions } from './manager-client.ts';
export { callManager, classifyFailure } from './manager-client.ts';
export { startAgent } from './run-agent.ts';
export { runService } from './run-service.ts';
