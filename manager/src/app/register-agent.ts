import type { Agent, AgentKind } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';

/** The same name again is the same agent, so a restart leaves no ghosts. */
export async function registerAgent(
  context: AppContext,
  agent: Pick<Agent, 'kind' | 'name' | 'version' | 'capacity' | 'labels' | 'warnings'>,
  tokenKind: AgentKind,
): Promise<{ agentId: string }> {
  if (agent.kind !== tokenKind) {
    throw new ProblemError(
      'forbidden',
      `this token is for a ${tokenKind} agent, not for a ${agent.kind} agent`,
    );
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/.test(agent.name)) {
    throw new ProblemError(
      'invalid_request',
      'an agent name is a letter or digit and up to 79 of A-Z a-z 0-9 . _ -',
    );
  }
  const agentId = await transact(context, async (tx) => {
    const known = await tx.agents.findByName(agent.name);
    if (known && known.agent.kind !== agent.kind) {
      throw new ProblemError(
        'conflict',
        `the agent name ${agent.name} belongs to a ${known.agent.kind} agent; choose another`,
      );
    }
    const at = now(context);
    const id = known?.id ?? context.ids.next('agt');
    const described = { ...agent, id, registeredAt: known?.agent.registeredAt ?? at, lastSeenAt: at };
    if (known) await tx.agents.save({ ...known, agent: described });
    else await tx.agents.insert({ id, name: agent.name, agent: described, version: 1 });
    await record(context, tx, {
      actor: `agent/${id}`,
      type: 'agent.registered',
      subject: `agent/${id}`,
      data: { kind: agent.kind, name: agent.name, version: agent.version, warnings: agent.warnings },
    });
    return id;
  });
  context.observations.agentLastSeenMs.set(agentId, context.clock.nowMs());
  for (const warning of agent.warnings) context.observations.warnings.set(`agent:${warning}`, warning);
  return { agentId };
}
