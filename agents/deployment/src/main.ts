import { runService } from '@dbox/agent-sdk';
import { readDeploymentConfig } from './config.ts';
import { startDeploymentAgent } from './start-deployment-agent.ts';
import { createContainerTarget } from './targets/container/container-target.ts';

await runService({
  readConfig: readDeploymentConfig,
  start({ boxName, socketPath, devNetwork, npmrcFile, ...config }, identity) {
    const target = createContainerTarget({
      box: boxName,
      socketPath,
      network: devNetwork,
      reach: 'name',
      npmrcFile,
    });
    return startDeploymentAgent({ ...config, ...identity, target, boxMarker: boxName });
  },
});
