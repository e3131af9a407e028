import assert from 'node:assert/strict';
import type { Event } from '@dbox/contracts';
import { SETTLED_STORY_STATUSES } from '@dbox/contracts';
import { readReleaseSettings } from '../read-release-settings.ts';
import type { World } from './world.ts';

/** What must be true after every step, whoever did what; reads on from the last event it has seen. */
export class StoryInvariants {
  private readonly world: World;
  private seq = 0;
  private readonly fences = new Map<string, number>();
  private readonly ended = new Set<string>();

  constructor(world: World) {
    this.world = world;
  }

  async check(): Promise<void> {
    assert.deepEqual(this.world.errors, [], 'no step of a loop throws');
    const state = await this.world.context.store.read(async (reader) => ({
      projects: await reader.projects.list(),
      environments: await reader.environments.list(),
      releases: await reader.releases.list({ limit: 1000 }),
      tasks: await reader.tasks.list({ limit: 1000 }),
      stories: await reader.stories.list({ limit: 1000 }),
      events: await reader.events.list({ after: this.seq, limit: 10_000 }),
    }));
    for (const event of state.events) this.follow(event);

    for (const { project, name, liveReleaseId } of state.environments) {
      const live = state.releases.filter(
        (one) => one.project === project && one.environment === name && one.status === 'live',
      );
      assert.deepEqual(
        live.map((one) => one.id),
        liveReleaseId === null ? [] : [liveReleaseId],
        `one release is live in ${project}, the one of its environment`,
      );
      const { work, mainCommit } = state.projects.find((one) => one.name === project)!;
      const isMain = live.every((one) => this.sameTree(one.commit, mainCommit!));
      assert.ok(work !== null || isMain, `main of ${project} is what is live`);
    }
    for (const { name, work } of state.projects) {
      const candidates = state.tasks.filter(
        (task) => task.project === name && ['testing', 'tested', 'releasing'].includes(task.integration),
      );
      const expected = work?.kind === 'task' ? [work.taskId] : [];
      assert.deepEqual(
        candidates.map((task) => task.id),
        expected,
        `one candidate at a time in ${name}`,
      );
      if (work === null || work.kind === 'task') continue;
      const target = state.releases.find((one) => one.id === work.releaseId)!;
      assert.ok(['queued', 'building', 'starting', 'smoking', 'baking'].includes(target.status));
    }
    for (const { project, name, settings } of state.environments) {
      assert.ok(settings.version <= settings.newest, `${project}/${name} has no version from nowhere`);
    }
    for (const release of state.releases) {
      if (release.status === 'stopped') continue;
      const { version } = await readReleaseSettings(this.world.context, release.id);
      assert.equal(version, release.settingsVersion, `the settings of ${release.id} are kept`);
    }
    for (const story of state.stories) {
      const tasks = state.tasks.filter((task) => task.storyId === story.id);
      if (story.status === 'delivered') {
        assert.ok(
          tasks.every((task) => task.integration === 'landed'),
          `${story.id} is delivered`,
        );
      }
      const needsReason = story.status === 'failed' || story.status === 'blocked';
      if (story.status !== 'cancelled')
        assert.equal(story.reason !== null, needsReason, `reason of ${story.id}`);
    }
  }

  /** Nothing waits for ever. */
  async checkSettled(): Promise<void> {
    const stories = await this.world.context.store.read((reader) => reader.stories.list({ limit: 1000 }));
    for (const { id, status } of stories) {
      assert.ok(SETTLED_STORY_STATUSES.includes(status), `${id} is ${status} though nothing moves`);
    }
    for (const { name, work } of await this.world.context.store.read((reader) => reader.projects.list())) {
      assert.equal(work, null, `${name} is at work though nothing moves`);
    }
    for (const environment of await this.world.context.store.read((reader) => reader.environments.list())) {
      const { project, name, settings, liveReleaseId } = environment;
      if (liveReleaseId === null) continue;
      assert.ok(!settings.pending, `settings of ${project}/${name} wait though nothing moves`);
      const live = await this.world.context.store.read((reader) => reader.releases.get(liveReleaseId));
      const isKnown =
        live!.settingsVersion === settings.version || settings.refused?.version === settings.version;
      assert.ok(isKnown, `${project}/${name} runs with its settings, or says why not`);
    }
  }

  private follow(event: Event): void {
    this.seq = event.seq;
    if (event.type === 'job.leased') {
      const fence = Number(event.data.fence);
      assert.ok(fence > (this.fences.get(event.subject) ?? 0), `${event.subject}: fences grow`);
      this.fences.set(event.subject, fence);
    }
    if (['job.succeeded', 'job.failed', 'job.cancelled'].includes(event.type)) {
      assert.ok(!this.ended.has(event.subject), `${event.subject} ends once`);
      this.ended.add(event.subject);
    }
  }

  private sameTree(a: string, b: string): boolean {
    const tree = (commit: string) =>
      JSON.stringify(Object.entries(this.world.repositories.filesOf(commit)).sort());
    return tree(a) === tree(b);
  }
}
