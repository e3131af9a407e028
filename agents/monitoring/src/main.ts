import { runService } from '@dbox/agent-sdk';
import { readMonitoringConfig } from './config.ts';
import { startMonitoringAgent } from './start-monitoring-agent.ts';

await runService({
  readConfig: readMonitoringConfig,
  start: ({ capacity: _, ...config }, identity) => startMonitoringAgent({ ...config, ...identity }),
});
