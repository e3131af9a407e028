import { join } from 'node:path';
import type { AgentConfig } from '@dbox/agent-sdk';
import { readAgentConfig } from '@dbox/agent-sdk';

/** Coders mostly wait; two or three at once keep one project's independent tasks moving. */
const CAPACITY = 4;

export interface CodingConfig extends AgentConfig {
  readonly templatesDir: string;
}

export function readCodingConfig(env = process.env): CodingConfig {
  return {
    ...readAgentConfig('coding', { capacity: CAPACITY }, env),
    templatesDir: join(import.meta.dirname, '..', '..', '..', 'templates'),
  };
}
