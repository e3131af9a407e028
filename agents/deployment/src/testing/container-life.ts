// A deployment agent with containers, in a process of its own, for tests that kill it: URL, token, directory, box, network.
import { startDeploymentAgent } from '../start-deployment-agent.ts';
import { createContainerTarget } from '../targets/container/container-target.ts';
import { agentOptions } from './agent-bench.ts';

const [url = '', token = '', dir = '', box = '', network = '', socketPath = ''] = process.argv.slice(2);
const target = createContainerTarget({ box, network, socketPath, reach: 'address', npmrcFile: null });
await startDeploymentAgent(agentOptions({ url, token, dir, boxMarker: box, target }));
