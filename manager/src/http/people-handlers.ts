import type { Readable } from 'node:stream';
import type { BoxInfo, Event, LedgerReport } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { addProject } from '../app/add-project.ts';
import { cancelStory, cancelTask } from '../app/cancel-task.ts';
import type { AppContext } from '../app/context.ts';
import { listSettings } from '../app/list-settings.ts';
import { readLogs } from '../app/read-logs.ts';
import { readMainBundle, readTaskDiff } from '../app/read-source.ts';
import { removeProject } from '../app/remove-project.ts';
import { removeSetting } from '../app/remove-setting.ts';
import { retryStory, retryTask } from '../app/retry-task.ts';
import { rollBack } from '../app/roll-back.ts';
import { setSetting } from '../app/set-setting.ts';
import { submitStory } from '../app/submit-story.ts';
import {
  getStatus,
  getStoryReport,
  toTaskDetail,
  toWireAgent,
  toWireArtifact,
  toWireIncident,
  toWireProject,
  toWireRelease,
  toWireStory,
  toWireTask,
  urlOf,
} from '../app/views.ts';
import type { BundleFile } from '../ports/repositories.ts';
import type { ByteStream, Handlers } from './handlers.ts';
import { openBundle } from './open-bundle.ts';

export interface PeopleDeps {
  readonly context: AppContext;
  readonly box: Omit<BoxInfo, 'warnings'>;
  readonly openApi: () => unknown;
  readonly metrics: () => Promise<string>;
  readonly followEvents: (after: number, signal: AbortSignal) => AsyncIterable<Event>;
  readonly verifyLedger: () => Promise<LedgerReport>;
  readonly openBackup: () => Promise<Readable>;
}

type PeopleOperation =
  | 'getHealth'
  | 'getOpenApi'
  | 'getMetrics'
  | 'getStatus'
  | 'submitStory'
  | 'listStories'
  | 'getStory'
  | 'cancelStory'
  | 'retryStory'
  | 'listTasks'
  | 'getTask'
  | 'getTaskDiff'
  | 'cancelTask'
  | 'retryTask'
  | 'listProjects'
  | 'addProject'
  | 'removeProject'
  | 'getProjectBundle'
  | 'rollBack'
  | 'listReleases'
  | 'listIncidents'
  | 'listSettings'
  | 'setSetting'
  | 'removeSetting'
  | 'listAgents'
  | 'listArtifacts'
  | 'getArtifact'
  | 'listEvents'
  | 'streamEvents'
  | 'verifyEvents'
  | 'readLogs'
  | 'getBackup';

/** What people and their scripts call. */
export function peopleHandlers(deps: PeopleDeps): Pick<Handlers, PeopleOperation> {
  const { context } = deps;
  const { store } = context;
  return {
    getHealth: async () => ({ ok: true }),
    getOpenApi: async () => deps.openApi() as never,
    getMetrics: () => deps.metrics(),
    getStatus: () => getStatus(context, deps.box),

    submitStory: (call) =>
      submitStory(context, {
        story: call.body,
        idempotencyKey: call.header('idempotency-key'),
        bodyHash: call.bodyHash,
        actor: call.caller.actor,
      }),
    listStories: async ({ query }) => ({
      stories: (await store.read((reader) => reader.stories.list(query))).map(toWireStory),
    }),
    getStory: ({ params }) => getStoryReport(context, params.storyId),
    async cancelStory({ params, caller }) {
      await cancelStory(context, params.storyId, caller.actor);
      return getStoryReport(context, params.storyId);
    },
    async retryStory({ params, caller }) {
      await retryStory(context, params.storyId, caller.actor);
      return getStoryReport(context, params.storyId);
    },

    listTasks: async ({ query }) => ({
      tasks: (
        await store.read((reader) =>
          reader.tasks.list({ project: query.project, storyId: query.story, limit: query.limit }),
        )
      ).map(toWireTask),
    }),
    async getTask({ params }) {
      const task = await store.read((reader) => reader.tasks.get(params.taskId));
      if (!task)
        throw new ProblemError('not_found', `there is no task ${params.taskId}; \`dbox tasks\` lists them`);
      return toTaskDetail(task);
    },
    getTaskDiff: ({ params, query }) => readTaskDiff(context, params.taskId, query.attempt),
    cancelTask: ({ params, caller }) => cancelTask(context, params.taskId, caller.actor),
    retryTask: ({ params, caller }) => retryTask(context, params.taskId, caller.actor),

    listProjects: () =>
      store.read(async (reader) => {
        const environments = await reader.environments.list();
        const projects = await reader.projects.list();
        return {
          projects: projects.map((project) => ({
            ...toWireProject(project),
            urls: Object.fromEntries(
              environments
                .filter((one) => one.project === project.name)
                .map((one) => [one.name, urlOf(context, one)]),
            ),
          })),
        };
      }),
    addProject: async ({ params, bytes, header, caller }) => {
      const empty = bytes === null || header('content-length') === '0';
      return addProject(context, { name: params.project, bundle: empty ? null : bytes, actor: caller.actor });
    },
    async removeProject({ params, caller }) {
      await removeProject(context, params.project, caller.actor);
      return undefined;
    },
    getProjectBundle: async ({ params }) =>
      asDownload(await readMainBundle(context, params.project), `${params.project}.bundle`),
    rollBack: ({ params, body, caller }) =>
      rollBack(context, {
        project: params.project,
        environment: body.environment,
        releaseId: body.releaseId,
        actor: caller.actor,
        why: 'asked for by a person',
      }),

    listSettings: ({ params }) => listSettings(context, params),
    setSetting: ({ params, body, caller }) =>
      setSetting(context, { ...params, value: body.value, actor: caller.actor }),
    removeSetting: ({ params, caller }) => removeSetting(context, { ...params, actor: caller.actor }),

    listReleases: async ({ query }) => ({
      releases: (await store.read((reader) => reader.releases.list(query))).map(toWireRelease),
    }),
    listIncidents: async ({ query }) => ({
      incidents: (await store.read((reader) => reader.incidents.list(query))).map(toWireIncident),
    }),
    listAgents: async () => ({
      agents: (await store.read((reader) => reader.agents.list())).map((agent) =>
        toWireAgent(context, agent),
      ),
    }),
    listArtifacts: async ({ query }) => ({
      artifacts: (await store.read((reader) => reader.artifacts.listOfTask(query.task))).map(toWireArtifact),
    }),
    async getArtifact({ params }) {
      const artifact = await store.read((reader) => reader.artifacts.get(params.artifactId));
      if (!artifact) throw new ProblemError('not_found', `there is no artifact ${params.artifactId}`);
      return {
        body: await context.artifacts.open(artifact),
        mediaType: artifact.mediaType,
        sizeBytes: artifact.sizeBytes,
        fileName: artifact.name,
      };
    },

    listEvents: async ({ query }) => ({ events: await store.read((reader) => reader.events.list(query)) }),
    async streamEvents({ query, header, signal }) {
      const resumed = Number(header('last-event-id') ?? query.after ?? Number.NaN);
      const head = await store.read((reader) => reader.events.head());
      return deps.followEvents(
        Number.isInteger(resumed) && resumed >= 0 ? resumed : (head?.seq ?? 0),
        signal,
      );
    },
    verifyEvents: () => deps.verifyLedger(),
    readLogs: ({ query }) => readLogs(context, query),
    getBackup: async () => ({
      body: await deps.openBackup(),
      mediaType: 'application/x-tar',
      sizeBytes: null,
      fileName: 'dbox-backup.tar',
    }),
  };
}

async function asDownload(bundle: BundleFile, fileName: string): Promise<ByteStream> {
  return { ...(await openBundle(bundle)), fileName };
}
