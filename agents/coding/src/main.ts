import { runService } from '@dbox/agent-sdk';
import { readCodingConfig } from './config.ts';
import { startCodingAgent } from './index.ts';

await runService({
  readConfig: readCodingConfig,
  start: (config, identity) => startCodingAgent({ ...config, ...identity }),
});
