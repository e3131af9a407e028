import { join } from 'node:path';
import { Box } from '../box.ts';
import { AcknowledgedLedger } from './acknowledged.ts';
import type { KillCounts } from './killer.ts';
import { killAtRandom } from './killer.ts';
import { findLeftovers, findSurplusTrees } from './leftovers.ts';
import { loadProject } from './load.ts';
import { seededRandom } from './seeded-random.ts';
import { checkSettled } from './settled-checks.ts';
import type { StackKillCounts } from './stack-killer.ts';
import { killStackAtRandom } from './stack-killer.ts';

const PROJECTS = ['alpha', 'beta', 'gamma'] as const;
/** Shorter than the default, so that many leases are lost and taken over in few minutes. */
const LEASE_MS = 3_000;

export interface RandomKills {
  readonly seed: number;
  readonly minutes: number;
  readonly acknowledged: AcknowledgedLedger['counts'];
  readonly kills: KillCounts;
  /** Sentences; none means that everything held. */
  readonly findings: readonly string[];
}

/** A box under load that is killed at random, and what of its promises it kept. A box with findings is left in place. */
export async function soakWithKills(o: {
  readonly seed: number;
  readonly minutes: number;
  readonly say: (text: string) => void;
}): Promise<RandomKills> {
  const random = seededRandom(o.seed);
  const box = await Box.make({ DBOX_LEASE_MS: String(LEASE_MS) });
  const ledger = new AcknowledgedLedger(join(box.directory, 'acknowledged.jsonl'));
  o.say(`box in ${box.directory}, seed ${o.seed}`);
  await box.ok(['up']);
  const stopping = new AbortController();
  const findings: string[] = [];
  const people = PROJECTS.map((project) =>
    loadProject({ box, project, random: random.branch(project), ledger, signal: stopping.signal }).catch(
      (error: unknown) => findings.push(`the people of ${project}: ${messageOf(error)}`),
    ),
  );
  const kills = await killAtRandom({
    box,
    random: random.branch('killer'),
    deadlineMs: Date.now() + o.minutes * 60_000,
    leaseMs: LEASE_MS,
    onAct: (what) => o.say(`${what} (${ledger.counts.story} stories acknowledged)`),
  }).catch((error: unknown) => {
    findings.push(`bringing the box up again: ${messageOf(error)}`);
    return null;
  });
  stopping.abort();
  await Promise.all(people);
  o.say('letting everything settle');
  try {
    findings.push(...(await checkSettled(box, ledger)));
    findings.push(...(await findSurplusTrees(box, PROJECTS.length)));
    await box.ok(['down']);
    findings.push(...(await findLeftovers(box)));
  } catch (error) {
    findings.push(messageOf(error));
  }
  ledger.close();
  await box.close({ keep: findings.length > 0 });
  const none = { killed: 0, killedWhileStarting: 0, frozen: 0, stoppedInOrder: 0, recoveriesMs: [] };
  return {
    seed: o.seed,
    minutes: o.minutes,
    acknowledged: ledger.counts,
    kills: kills ?? none,
    findings,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

export interface StackKills {
  readonly seed: number;
  readonly minutes: number;
  readonly acknowledged: AcknowledgedLedger['counts'];
  readonly kills: StackKillCounts | null;
  readonly findings: readonly string[];
}

/** The same with a box of containers, of which any is killed, frozen or cut off. */
export async function soakStackWithKills(o: {
  readonly seed: number;
  readonly minutes: number;
  readonly say: (text: string) => void;
}): Promise<StackKills> {
  const random = seededRandom(o.seed);
  const box = await Box.makeStack({ DBOX_LEASE_MS: String(LEASE_MS) });
  const stack = box.stack!;
  const ledger = new AcknowledgedLedger(join(box.directory, 'acknowledged.jsonl'));
  o.say(`stack ${stack.name} in ${box.directory}, seed ${o.seed}`);
  const findings: string[] = [];
  let kills: StackKillCounts | null = null;
  try {
    await box.ok(['up']);
    const stopping = new AbortController();
    const people = PROJECTS.map((project) =>
      loadProject({ box, project, random: random.branch(project), ledger, signal: stopping.signal }).catch(
        (error: unknown) => findings.push(`the people of ${project}: ${messageOf(error)}`),
      ),
    );
    kills = await killStackAtRandom({
      stack,
      random: random.branch('killer'),
      deadlineMs: Date.now() + o.minutes * 60_000,
      leaseMs: LEASE_MS,
      onAct: (what) => o.say(`${what} (${ledger.counts.story} stories acknowledged)`),
    }).finally(() => stopping.abort());
    await Promise.all(people);
    o.say('letting everything settle');
    findings.push(...(await checkSettled(box, ledger)));
  } catch (error) {
    findings.push(messageOf(error), await stack.lastLines(15).catch(String));
  }
  ledger.close();
  await box.close({ keep: false });
  return { seed: o.seed, minutes: o.minutes, acknowledged: ledger.counts, kills, findings };
}
