/**
 * Where an environment stands with its settings, and what each thing that happens makes of it. The
 * values are elsewhere: a version is a number here.
 */
export interface EnvironmentSettings {
  /** What the next release runs with; 0 is none at all. */
  readonly version: number;
  /** The highest version ever given: the number of one that was given up is not used again. */
  readonly newest: number;
  /** `version` is still to be taken to what is live, by a release of its own. */
  readonly pending: boolean;
  /** How often its release was repeated for reasons outside of the settings. */
  readonly hostRepeats: number;
  /** The last version that was refused; null once it or a later one is live. */
  readonly refused: Refused | null;
}

interface Refused {
  readonly version: number;
  readonly releaseId: string;
  readonly reason: string;
}

export const NO_SETTINGS: EnvironmentSettings = {
  version: 0,
  newest: 0,
  pending: false,
  hostRepeats: 0,
  refused: null,
};

/** A person changed one: whatever waited before is contained in this version. */
export function afterChange(settings: EnvironmentSettings): EnvironmentSettings {
  const version = settings.newest + 1;
  return { ...settings, version, newest: version, pending: true, hostRepeats: 0 };
}

/** A person asked for a refused version again. */
export function afterRetry(settings: EnvironmentSettings): EnvironmentSettings {
  return { ...settings, pending: true, hostRepeats: 0, refused: null };
}

/** A release with this version took the traffic. */
export function afterLive(settings: EnvironmentSettings, version: number): EnvironmentSettings {
  const { refused } = settings;
  const mended = refused !== null && version >= refused.version ? null : refused;
  if (version !== settings.version) return { ...settings, refused: mended };
  return { ...settings, pending: false, hostRepeats: 0, refused: mended };
}

/**
 * A rollback gave the traffic back to a release with this version. It is the environment's own again:
 * else the next release would bring back, unasked, what the rollback has just taken away.
 */
export function afterRollback(settings: EnvironmentSettings, version: number): EnvironmentSettings {
  return { ...settings, version, pending: false, hostRepeats: 0, refused: null };
}

/**
 * The release that was to take this version to what is live was refused. `told`: a person must hear
 * of it; else it is repeated, or a later version has its turn.
 */
export function afterRefusal(
  settings: EnvironmentSettings,
  refused: Refused,
  cause: { readonly isHosts: boolean; readonly maxHostRepeats: number },
): { readonly settings: EnvironmentSettings; readonly told: boolean } {
  const isNewest = settings.version === refused.version;
  const hostRepeats = isNewest ? settings.hostRepeats + 1 : settings.hostRepeats;
  if (cause.isHosts && (!isNewest || hostRepeats < cause.maxHostRepeats)) {
    return { settings: { ...settings, hostRepeats }, told: false };
  }
  return { settings: { ...settings, pending: !isNewest, hostRepeats: 0, refused }, told: true };
}

/** What a person must know of a release with settings that were refused before; null where they were not. */
export function doubtOf(settings: EnvironmentSettings, version: number): string | null {
  const { refused } = settings;
  if (refused?.version !== version) return null;
  return `it ran with settings version ${version}, which had been refused with release ${refused.releaseId}: ${refused.reason}`;
}
