import type { RunningAgent } from '@dbox/agent-sdk';
import { startAgent } from '@dbox/agent-sdk';
import { createScriptedEngine } from './engines/scripted/scripted-engine.ts';
import { createTemplateEngine } from './engines/template/template-engine.ts';
import { writeCode } from './write-code.ts';

export interface CodingAgentOptions {
  readonly managerUrl: string;
  readonly token: string;
  readonly stateDir: string;
  readonly name: string;
  readonly version: string;
  readonly capacity: number;
  readonly templatesDir: string;
  readonly echo?: (line: string) => void;
}

export function startCodingAgent(o: CodingAgentOptions): Promise<RunningAgent> {
  const engines = [createTemplateEngine({ templatesDir: o.templatesDir }), createScriptedEngine()];
  return startAgent({
    kind: 'coding',
    name: o.name,
    version: o.version,
    capacity: o.capacity,
    warnings: [],
    managerUrl: o.managerUrl,
    token: o.token,
    stateDir: o.stateDir,
    ...(o.echo ? { echo: o.echo } : {}),
    handlers: { code: (context) => writeCode(context, engines) },
  });
}
