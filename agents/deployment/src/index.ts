export { readReadyTimeoutMs } from './config.ts';
export { type DeploymentAgentOptions, startDeploymentAgent } from './start-deployment-agent.ts';
export { type ContainerTargetOptions, createContainerTarget } from './targets/container/container-target.ts';
export { createProcessTarget, type ProcessTargetOptions } from './targets/process-target.ts';
