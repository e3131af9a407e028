export { type DeploymentAgentOptions, startDeploymentAgent } from './start-deployment-agent.ts';
