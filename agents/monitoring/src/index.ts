export type { MonitoringAgentOptions } from './start-monitoring-agent.ts';
export { startMonitoringAgent } from './start-monitoring-agent.ts';
