import { runService } from '@dbox/agent-sdk';
import { findToolchain, openSandbox } from '@dbox/sandbox';
import { readTestingConfig } from './config.ts';
import { startTestingAgent } from './start-testing-agent.ts';

await runService({
  readConfig: readTestingConfig,
  async start(config, identity) {
    const sandbox = await openSandbox({
      toolchain: await findToolchain(),
      allowNone: false,
      runMarker: `${config.name}-run`,
    });
    return startTestingAgent({ ...config, ...identity, sandbox, allowUnsandboxed: false });
  },
});
