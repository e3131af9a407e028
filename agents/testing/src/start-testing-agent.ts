import { type RunningAgent, startAgent } from '@dbox/agent-sdk';
import type { Sandbox } from '@dbox/sandbox';
import { createTestHandler } from './handle-test-job.ts';

export interface TestingAgentOptions {
  readonly managerUrl: string;
  readonly token: string;
  readonly stateDir: string;
  readonly name: string;
  readonly version: string;
  readonly capacity: number;
  readonly sandbox: Sandbox;
  /** A person has said `--no-sandbox`: code that the box did not write itself may run without one. */
  readonly allowUnsandboxed: boolean;
  readonly echo?: (line: string) => void;
}

export function startTestingAgent(options: TestingAgentOptions): Promise<RunningAgent> {
  const { sandbox, allowUnsandboxed, ...agent } = options;
  return startAgent({
    ...agent,
    kind: 'testing',
    warnings: sandbox.missing === null ? [] : [`tests run without a sandbox: ${sandbox.missing}`],
    handlers: { test: createTestHandler({ sandbox, allowUnsandboxed }) },
  });
}
