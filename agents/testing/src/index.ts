export type { TestingAgentOptions } from './start-testing-agent.ts';
export { startTestingAgent } from './start-testing-agent.ts';
