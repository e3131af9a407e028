import type {
  Agent,
  Artifact,
  BoxInfo,
  Incident,
  Project,
  Release,
  StatusReport,
  Story,
  StoryReport,
  Task,
  TaskDetail,
} from '@dbox/contracts';
import { ProblemError, SETTLED_STORY_STATUSES } from '@dbox/contracts';
import type {
  AgentRecord,
  ArtifactRecord,
  EnvironmentRecord,
  IncidentRecord,
  ProjectRecord,
  ReleaseRecord,
  StoryRecord,
  TaskRecord,
} from '../ports/records.ts';
import type { AppContext } from './context.ts';
import { DEV } from './project-steps.ts';
import { usageOf } from './report-usage.ts';

/* What the outside sees of the records. Each view names its fields, so nothing internal slips out. */

export function toWireStory(story: StoryRecord): Story {
  const { version: _, planFrom: __, ...wire } = story;
  return wire;
}

export function toWireTask(task: TaskRecord): Task {
  return {
    id: task.id,
    storyId: task.storyId,
    project: task.project,
    title: task.title,
    status: task.status,
    reason: task.reason,
    resumesTo: task.resumesTo,
    dependsOn: [...task.dependsOn],
    attemptCount: task.attemptCount,
    commit: task.commit,
    engine: task.engine,
    createdAt: task.createdAt,
    updatedAt: task.updatedAt,
  };
}

export function toTaskDetail(task: TaskRecord): TaskDetail {
  return {
    ...toWireTask(task),
    spec: task.spec,
    attempts: [...task.attempts],
    releaseIds: [...task.releaseIds],
  };
}

export function toWireRelease(release: ReleaseRecord): Release {
  return {
    id: release.id,
    project: release.project,
    environment: release.environment,
    commit: release.commit,
    taskId: release.taskId,
    status: release.status,
    runPlan: release.runPlan,
    settingsVersion: release.settingsVersion,
    image: release.image,
    checks: release.checks,
    reason: release.reason,
    createdAt: release.createdAt,
    liveAt: release.liveAt,
  };
}

export function toWireProject(project: ProjectRecord): Project {
  return {
    name: project.name,
    createdAt: project.createdAt,
    mainCommit: project.mainCommit,
    origin: project.origin,
  };
}

export function toWireIncident(incident: IncidentRecord): Incident {
  const { version: _, ...wire } = incident;
  return wire;
}

export function toWireArtifact(artifact: ArtifactRecord): Artifact {
  const { version: _, project: __, ...wire } = artifact;
  return wire;
}

export function toWireAgent(context: AppContext, record: AgentRecord): Agent {
  const seenMs = context.observations.agentLastSeenMs.get(record.id);
  // An idle agent's long poll is up to 30 s old; twice that without a word is silence.
  const silentMs = context.clock.nowMs() - (seenMs ?? Date.parse(record.agent.lastSeenAt));
  return {
    ...record.agent,
    lastSeenAt: seenMs === undefined ? record.agent.lastSeenAt : new Date(seenMs).toISOString(),
    state: silentMs > 60_000 || seenMs === undefined ? 'lost' : 'online',
  };
}

export function urlOf({ settings }: AppContext, environment: EnvironmentRecord): string {
  return `${settings.siteOrigin}:${environment.port}`;
}

function usageViewOf(context: AppContext, releaseId: string) {
  const usage = usageOf(context, releaseId);
  if (!usage) return null;
  const { releaseId: _, ...view } = usage;
  return view;
}

export async function getStoryReport(context: AppContext, storyId: string): Promise<StoryReport> {
  return context.store.read(async (reader) => {
    const story = await reader.stories.get(storyId);
    if (!story)
      throw new ProblemError('not_found', `there is no story ${storyId}; \`dbox status\` lists them`);
    const tasks = await reader.tasks.listOfStory(storyId);
    const environmentName = tasks.find((task) => task.spec.environment !== DEV)?.spec.environment ?? DEV;
    const environment = await reader.environments.get({ project: story.project, name: environmentName });
    const settled = SETTLED_STORY_STATUSES.includes(story.status);
    const endMs = settled ? Date.parse(story.updatedAt) : context.clock.nowMs();
    return {
      story: { id: story.id, status: story.status, text: story.text, reason: story.reason },
      project: { name: story.project },
      url: environment?.liveReleaseId ? urlOf(context, environment) : null,
      tasks: tasks.map((task) => ({
        id: task.id,
        title: task.title,
        status: task.status,
        reason: task.reason,
        attemptCount: task.attemptCount,
        commit: task.commit,
        engine: task.engine,
      })),
      elapsedMs: Math.max(0, endMs - Date.parse(story.createdAt)),
    };
  });
}

export async function getStatus(context: AppContext, box: Omit<BoxInfo, 'warnings'>): Promise<StatusReport> {
  return context.store.read(async (reader) => {
    const environments = await reader.environments.list();
    const projects: StatusReport['projects'] = [];
    for (const project of await reader.projects.list()) {
      const own = environments.filter((one) => one.project === project.name);
      const views = [];
      for (const environment of own) {
        const [incident] = await reader.incidents.listOpenOfEnvironment({
          project: project.name,
          environment: environment.name,
        });
        const live = environment.liveReleaseId ? await reader.releases.get(environment.liveReleaseId) : null;
        views.push({
          name: environment.name,
          url: urlOf(context, environment),
          health: environment.health,
          release: live ? { id: live.id, commit: live.commit, status: live.status } : null,
          engine: live?.engine ?? null,
          usage: live ? usageViewOf(context, live.id) : null,
          incident: incident ? { id: incident.id, status: incident.status, detail: incident.detail } : null,
        });
      }
      projects.push({ name: project.name, environments: views });
    }
    const stories = await reader.stories.list({ limit: 100 });
    const agents = await reader.agents.list();
    return {
      box: { ...box, warnings: [...context.observations.warnings.values()] },
      projects,
      stories: stories.map(({ id, status, project, text, reason }) => ({
        id,
        status,
        project,
        text,
        reason,
      })),
      agents: agents.map((agent) => {
        const { id, kind, name, state, lastSeenAt } = toWireAgent(context, agent);
        return { id, kind, name, state, lastSeenAt };
      }),
    };
  });
}
