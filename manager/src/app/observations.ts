import type { AgentKind, ReleaseUsage, TrafficStats } from '@dbox/contracts';
import type { CheckTrack } from '../domain/health.ts';

/**
 * What the manager has been told lately and may forget: a restart starts anew and learns it again
 * within seconds. Nothing here decides what is true; that is the store.
 */
export class Observations {
  /** The newest sentence of each running job. */
  readonly actions = new Map<string, string>();
  /** By release, then by check. */
  readonly tracks = new Map<string, Map<string, CheckTrack>>();
  readonly traffic = new Map<string, TrafficStats>();
  /** Releases whose last visitors have left, until the store was asked whether one of them may end. */
  readonly drained = new Set<string>();
  readonly usage = new Map<string, ReleaseUsage & { readonly atMs: number }>();
  /** Which life of the gateway counted that; null before its first report. */
  gatewayStartedAt: string | null = null;
  /** Releases that the gateway was asked for in this life of the manager: where it was the life before, they may not even run again yet. */
  readonly routed = new Set<string>();
  /** Releases that took the traffic in this life of the manager, not back: what they took it from, and whether that was judged. */
  readonly takers = new Map<
    string,
    { readonly formerId: string | null; readonly sinceMs: number; isJudged: boolean }
  >();
  /** Releases that lost the traffic in this life of the manager and are not known to have ended: they run on for a while. */
  readonly warm = new Set<string>();
  readonly probeDurationsMs = new Map<string, number>();
  /** Failing rounds since the last action, by incident. */
  readonly roundsSinceAction = new Map<string, number>();
  /** What a person should know, by topic: a port that was taken, little disk space. */
  readonly warnings = new Map<string, string>();
  /** Steps of the loops that threw lately, by subject. */
  readonly failures = new Map<string, { readonly count: number; readonly notBeforeMs: number }>();
  /** Since when a job's lease has been held, as far as was seen. */
  readonly leasedSince = new Map<string, { readonly fence: number; readonly sinceMs: number }>();
  /** How many events of the container engine were written down of a release since then. */
  readonly engineEvents = new Map<string, { readonly sinceMs: number; readonly count: number }>();
  readonly agentLastSeenMs = new Map<string, number>();
  readonly agentKinds = new Map<string, AgentKind>();

  /** It has lost the traffic. Its counts stay: the next one's are held against them. */
  forgetWatch(releaseId: string): void {
    this.tracks.delete(releaseId);
    this.usage.delete(releaseId);
    this.engineEvents.delete(releaseId);
    this.probeDurationsMs.delete(releaseId);
  }

  forgetRelease(releaseId: string): void {
    this.forgetWatch(releaseId);
    this.traffic.delete(releaseId);
    this.routed.delete(releaseId);
    this.takers.delete(releaseId);
    this.warm.delete(releaseId);
  }
}
