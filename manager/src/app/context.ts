import type { Event } from '@dbox/contracts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { Clock } from '../ports/clock.ts';
import { isoOf } from '../ports/clock.ts';
import type { IdSource } from '../ports/id-source.ts';
import type { LogStore } from '../ports/log-store.ts';
import type { Planner } from '../ports/planner.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { SettingVault } from '../ports/setting-vault.ts';
import type { Store, StoreTransaction } from '../ports/store.ts';
import { VersionConflictError } from '../ports/store.ts';
import type { WorkspaceFiles } from '../ports/workspace-files.ts';
import type { Observations } from './observations.ts';

export interface Settings {
  readonly version: string;
  readonly workspace: string;
  /** The first environment's port; later ones count up. */
  readonly firstGatewayPort: number;
  /** How many environments can have a port; null is without a limit. */
  readonly gatewayPortCount: number | null;
  /** Where commands of tests reach the gateway. */
  readonly gatewayHost: string;
  /** What people reach sites by, without the port: `http://127.0.0.1`. */
  readonly siteOrigin: string;
  readonly watchIntervalMs: number;
  readonly leaseDurationMs: number;
  /** Below this share of free disk space no lease is given. */
  readonly minFreeSpace: number;
  /** Whether releases run in containers, so that Dockerfiles and compose files are ways to run. */
  readonly containers: boolean;
}

/** Everything a use case may touch. Use cases are functions of this and their input. */
export interface AppContext {
  readonly store: Store;
  readonly repositories: Repositories;
  readonly artifacts: ArtifactStore;
  readonly logs: LogStore;
  readonly files: WorkspaceFiles;
  readonly planner: Planner;
  readonly vault: SettingVault;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly settings: Settings;
  readonly observations: Observations;
  readonly signJobToken: (claim: { jobId: string; fence: number }) => string;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, data?: object) => void;
}

export function now(context: AppContext): string {
  return isoOf(context.clock.nowMs());
}

export interface Fact {
  readonly actor: string;
  readonly type: string;
  readonly subject: string;
  readonly data?: Event['data'];
}

export async function record(context: AppContext, tx: StoreTransaction, fact: Fact): Promise<void> {
  await tx.events.append({
    at: now(context),
    actor: fact.actor,
    type: fact.type,
    subject: fact.subject,
    data: fact.data ?? {},
  });
}

/**
 * One transaction, tried again from its start where another changed a record in between. Use cases
 * load everything inside, so a second run sees the new state.
 */
export async function transact<T>(
  context: AppContext,
  work: (tx: StoreTransaction) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await context.store.transact(work);
    } catch (error) {
      if (!(error instanceof VersionConflictError) || tries === 5) throw error;
    }
  }
}
