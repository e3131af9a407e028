import { createHash } from 'node:crypto';
import { MADE_ID_PATTERN, PROJECT_NAME_PATTERN } from '@dbox/contracts';

/** Names a box among others on one engine: the first part of all that it makes there. */
export const BOX_NAME_PATTERN = /^[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?$/;

/** What everything of a box carries; nothing without it is ever touched. */
export const LABELS = {
  box: 'dbox.box',
  release: 'dbox.release',
  project: 'dbox.project',
  environment: 'dbox.environment',
  commit: 'dbox.commit',
  role: 'dbox.role',
  port: 'dbox.port',
  image: 'dbox.image',
  service: 'dbox.service',
  /** Of a service that lives on: what it was made from. */
  definition: 'dbox.definition',
  /** Of the image that stands for a release of several containers: its compose file and its images. */
  composeFile: 'dbox.compose-file',
  images: 'dbox.images',
} as const;

export interface Place {
  readonly project: string;
  readonly environment: string;
}

/** The names of what a box makes on the engine. They follow from what it is, so two lives make one thing. */
export function createNames(box: string) {
  if (!BOX_NAME_PATTERN.test(box)) {
    throw new Error(`${JSON.stringify(box)} is no name of a box: write 1 to 30 of a-z 0-9 and -`);
  }
  const tailOf = (releaseId: string) => {
    if (!MADE_ID_PATTERN.test(releaseId)) throw new Error(`${JSON.stringify(releaseId)} is no release id`);
    return releaseId.slice(-10);
  };
  /** `_` stands in no name of a project, so no two pairs share one. */
  const placeOf = ({ project, environment }: Place) => {
    for (const name of [project, environment]) {
      if (!PROJECT_NAME_PATTERN.test(name))
        throw new Error(`${JSON.stringify(name)} is no name of a project`);
    }
    return `${project}_${environment}`;
  };
  return {
    box,
    release: (releaseId: string) => `${box}-rel-${tailOf(releaseId)}`,
    carrier: (releaseId: string) => `${box}-put-${tailOf(releaseId)}`,
    /** Settings of the container of that name. */
    settingsVolume: (container: string) => {
      if (!container.startsWith(`${box}-`)) throw new Error(`${container} is none of the box ${box}`);
      return `${box}-set-${container.slice(box.length + 1)}`;
    },
    dataVolume: (place: Place) => `${box}-data-${placeOf(place)}`,
    image: (project: string, commit: string) => `${repositoryOf(project)}:${commit.slice(0, 12)}`,
    seedImage: `${box}/volume-seed:1`,
    /** Of a release that is several containers: one beside the one that serves. */
    part: (releaseId: string, service: string) =>
      `${box}-rel-${tailOf(releaseId)}-${shortHash(service).slice(0, 8)}`,
    releaseNetwork: (releaseId: string) => `${box}-rel-${tailOf(releaseId)}`,
    serviceImage: (project: string, service: string, commit: string) =>
      `${repositoryOf(project)}.${shortHash(service)}:${commit.slice(0, 12)}`,
    /** A service of a project's own compose file; short, as names of hosts must be. */
    service: (place: Place, service: string) => `${box}-svc-${shortHash(placeOf(place), service)}`,
    serviceVolume: (place: Place, volume: string) => `${box}-vol-${shortHash(placeOf(place), volume)}`,
    network: (place: Place) => `${box}-net-${shortHash(placeOf(place))}`,
  };

  function repositoryOf(project: string): string {
    if (!PROJECT_NAME_PATTERN.test(project)) throw new Error(`${JSON.stringify(project)} is no project`);
    return `${box}/${project}`;
  }
}

export type Names = ReturnType<typeof createNames>;

export function shortHash(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}
