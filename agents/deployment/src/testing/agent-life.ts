// A deployment agent in a process of its own, for tests that kill it: URL, token, directory, marker, kind of sandbox.
import { startDeploymentAgent } from '../start-deployment-agent.ts';
import { agentOptions, sandbox, unsandboxed } from './agent-bench.ts';

const [url = '', token = '', dir = '', boxMarker = '', kind] = process.argv.slice(2);
const here = kind === 'none' ? { sandbox: unsandboxed, allowUnsandboxed: true } : { sandbox };
await startDeploymentAgent(agentOptions({ url, token, dir, boxMarker, ...here }));
