import type { AgentConfig } from '@dbox/agent-sdk';
import { readAgentConfig } from '@dbox/agent-sdk';

/** Tests are the machine's own work: more at once would only slow each other down. */
const CAPACITY = 2;

export function readTestingConfig(env = process.env): AgentConfig {
  return readAgentConfig('testing', { capacity: CAPACITY }, env);
}
