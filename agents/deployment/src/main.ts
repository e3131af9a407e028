import { mkdir } from 'node:fs/promises';
import { runService } from '@dbox/agent-sdk';
import { findToolchain, openSandbox } from '@dbox/sandbox';
import { readDeploymentConfig } from './config.ts';
import { startDeploymentAgent } from './start-deployment-agent.ts';

await runService({
  readConfig: readDeploymentConfig,
  async start(config, identity) {
    await mkdir(config.runtimeDir, { recursive: true, mode: 0o700 });
    const sandbox = await openSandbox({
      toolchain: await findToolchain(),
      allowNone: false,
      runMarker: `${config.boxName}-run`,
    });
    return startDeploymentAgent({
      ...config,
      ...identity,
      boxMarker: config.boxName,
      sandbox,
      allowUnsandboxed: false,
    });
  },
});
