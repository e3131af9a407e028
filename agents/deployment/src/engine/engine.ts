import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { ContainerSpec } from './container-spec.ts';
import {
  ContainerDetail,
  ContainerList,
  EngineEvent,
  ImageDetail,
  ImageList,
  NetworkDetail,
  NetworkList,
  Stats,
  Version,
  VolumeDetail,
  VolumeList,
} from './engine-answers.ts';
import { EngineError, hasCode } from './engine-error.ts';
import { API_VERSION, createEngineSocket, type EngineCall } from './engine-socket.ts';
import { LABELS } from './names.ts';
import { type LogSink, readFramedLog, readJsonLines } from './read-lines.ts';

export type Engine = ReturnType<typeof createEngine>;

/** A name or id of the engine's: one path segment, no options. */
const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
const IMAGE_PATTERN = /^[a-z0-9][A-Za-z0-9_.:/@-]{0,254}$/;

const PULL_TIMEOUT_MS = 600_000;

/**
 * The engine's verbs that this agent knows, and no others. What changes or ends something looks first
 * whether it carries the box's label, and works on exactly that one's id.
 */
export function createEngine(o: { readonly socketPath: string; readonly box: string }) {
  const socket = createEngineSocket(o.socketPath);
  const ofBox = [`${LABELS.box}=${o.box}`];

  async function ask<T>(call: EngineCall, schema: z.ZodType<T>): Promise<T> {
    const parsed = schema.safeParse(await socket.ask(call));
    if (parsed.success) return parsed.data;
    throw new EngineError('failed', `the container engine’s answer to ${call.what} cannot be read`);
  }

  async function inspectContainer(name: string): Promise<ContainerDetail | null> {
    check(NAME_PATTERN, name);
    const call = { method: 'GET', path: ['containers', name, 'json'], what: `looking at ${name}` } as const;
    return ask(call, ContainerDetail).catch(nullIfGone);
  }

  /** A container of this box; null where there is none. */
  async function own(name: string): Promise<ContainerDetail | null> {
    const found = await inspectContainer(name);
    if (found === null) return null;
    if (found.Config.Labels[LABELS.box] === o.box) return found;
    throw new EngineError('refused', `the container ${name} is not of the box ${o.box}: it is left alone`);
  }

  async function ownId(name: string): Promise<string | null> {
    return (await own(name))?.Id ?? null;
  }

  return {
    async version(): Promise<z.infer<typeof Version>> {
      const call = { method: 'GET', path: ['version'], timeoutMs: 5_000, what: 'its version' } as const;
      const version = await ask(call, Version);
      if (Number(version.ApiVersion.split('.')[1]) < Number(API_VERSION.split('.')[1])) {
        const message = `the container engine ${version.Version} is too old: install Docker Engine 25 or newer`;
        throw new EngineError('too_old', message);
      }
      return version;
    },

    inspectImage(name: string): Promise<ImageDetail | null> {
      check(IMAGE_PATTERN, name);
      const call = { method: 'GET', path: ['images', name, 'json'], what: `looking at ${name}` } as const;
      return ask(call, ImageDetail).catch(nullIfGone);
    },

    listImages(labels: readonly string[] = []): Promise<z.infer<typeof ImageList>> {
      const query = { filters: JSON.stringify({ label: [...ofBox, ...labels] }) };
      return ask({ method: 'GET', path: ['images', 'json'], query, what: 'listing images' }, ImageList);
    },

    /** False where something still uses it. */
    async removeImage(id: string): Promise<boolean> {
      const found = await this.inspectImage(id);
      if (found === null) return true;
      if (found.Config?.Labels[LABELS.box] !== o.box) {
        throw new EngineError('refused', `the image ${id} is not of the box ${o.box}: it is left alone`);
      }
      try {
        // By name where it has one: by id the engine refuses an image with two names.
        for (const name of found.RepoTags?.length ? found.RepoTags : [found.Id]) {
          await socket.ask({ method: 'DELETE', path: ['images', name], what: `removing ${name}` });
        }
        return true;
      } catch (error) {
        if (hasCode(error, 'not_found')) return true;
        if (hasCode(error, 'conflict')) return false;
        throw error;
      }
    },

    /** Its progress, line by line, until it ends. The caller tells a failure from what it says. */
    async build(build: {
      readonly context: Readable;
      readonly tag: string;
      readonly dockerfile: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly target?: string;
      readonly buildArguments?: Readonly<Record<string, string>>;
      readonly signal: AbortSignal;
      readonly timeoutMs: number;
    }): Promise<AsyncGenerator<unknown>> {
      check(IMAGE_PATTERN, build.tag);
      const query = {
        version: 2,
        t: build.tag,
        dockerfile: build.dockerfile,
        labels: JSON.stringify({ ...build.labels, [LABELS.box]: o.box }),
        ...(build.target === undefined ? {} : { target: build.target }),
        ...(build.buildArguments === undefined ? {} : { buildargs: JSON.stringify(build.buildArguments) }),
      };
      const { context, signal, timeoutMs } = build;
      const path = ['build'];
      const what = `building ${build.tag}`;
      const call = { method: 'POST', path, query, archive: context, signal, timeoutMs, what } as const;
      return readJsonLines(await socket.open(call));
    },

    /** Fetches an image from its registry; a build does so itself. */
    async pull(image: string, signal: AbortSignal): Promise<void> {
      check(IMAGE_PATTERN, image);
      const path = ['images', 'create'];
      // Without a tag the engine fetches all that there are.
      const hasTag = /@|:[^/]*$/.test(image);
      const query = { fromImage: image, ...(hasTag ? {} : { tag: 'latest' }) };
      const timeoutMs = PULL_TIMEOUT_MS;
      const what = `fetching the image ${image}`;
      const response = await socket.open({ method: 'POST', path, query, signal, timeoutMs, what });
      for await (const message of readJsonLines(response)) {
        const { error } = message as { error?: string };
        if (error !== undefined) throw new EngineError('failed', `${image} could not be fetched: ${error}`);
      }
    },

    inspectContainer,

    listContainers(labels: readonly string[] = []): Promise<z.infer<typeof ContainerList>> {
      const query = { all: true, filters: JSON.stringify({ label: [...ofBox, ...labels] }) };
      const path = ['containers', 'json'];
      return ask({ method: 'GET', path, query, what: 'listing containers' }, ContainerList);
    },

    /** One of that name that this box has left behind goes first. */
    async createContainer(name: string, spec: ContainerSpec): Promise<void> {
      check(NAME_PATTERN, name);
      const body = { ...spec, Labels: { ...spec.Labels, [LABELS.box]: o.box } };
      const path = ['containers', 'create'];
      const call = { method: 'POST', path, query: { name }, body, what: `creating ${name}` } as const;
      try {
        await socket.ask(call);
      } catch (error) {
        if (!hasCode(error, 'conflict')) throw error;
        await this.removeContainer(name);
        await socket.ask(call);
      }
    },

    async startContainer(name: string): Promise<void> {
      const id = await ownId(name);
      if (id === null) throw new EngineError('not_found', `the container ${name} is gone`);
      await socket.ask({ method: 'POST', path: ['containers', id, 'start'], what: `starting ${name}` });
    },

    /**
     * SIGTERM (or its own signal), then SIGKILL; at once without a grace, and not before its own where it
     * was given one. Returns once it has ended; nothing to do where it is gone.
     */
    async stopContainer(name: string, graceMs: number): Promise<void> {
      const found = await own(name);
      if (found === null) return;
      const isKill = graceMs <= 0;
      const path = ['containers', found.Id, isKill ? 'kill' : 'stop'];
      const graceS = Math.max(Math.ceil(graceMs / 1000), found.Config.StopTimeout ?? 0);
      const query: Record<string, number> = isKill ? {} : { t: graceS };
      const timeoutMs = graceS * 1000 + 30_000;
      await socket
        .ask({ method: 'POST', path, query, timeoutMs, what: `stopping ${name}` })
        // Killing what has ended is a conflict.
        .catch((error) => {
          if (!hasCode(error, 'not_found', 'conflict')) throw error;
        });
    },

    /** With what it wrote and its unnamed volumes, running or not. */
    async removeContainer(name: string): Promise<void> {
      const id = await ownId(name);
      if (id === null) return;
      const query = { force: true, v: true };
      await socket
        .ask({ method: 'DELETE', path: ['containers', id], query, what: `removing ${name}` })
        // A removal that is under way already is a conflict.
        .catch((error) => {
          if (!hasCode(error, 'not_found', 'conflict')) throw error;
        });
    },

    /** Returns when it does not run (any more). */
    async waitForExit(name: string, signal: AbortSignal): Promise<void> {
      check(NAME_PATTERN, name);
      const path = ['containers', name, 'wait'];
      const query = { condition: 'not-running' };
      const response = await socket.open({
        method: 'POST',
        path,
        query,
        signal,
        what: `waiting for ${name}`,
      });
      // The engine answers at once and sends the body at the end.
      for await (const _ of response) if (signal.aborted) return;
    },

    /** Follows until it stops. `since`: seconds with a fraction. */
    async followLogs(
      name: string,
      since: string | null,
      signal: AbortSignal,
      onLine: LogSink,
    ): Promise<void> {
      check(NAME_PATTERN, name);
      const query = {
        follow: true,
        stdout: true,
        stderr: true,
        timestamps: true,
        ...(since === null ? {} : { since }),
      };
      const path = ['containers', name, 'logs'];
      const call = { method: 'GET', path, query, signal, what: `reading the log of ${name}` } as const;
      await readFramedLog(await socket.open(call), onLine);
    },

    /** The last lines of what it has printed so far. */
    async readLogEnd(name: string, signal: AbortSignal, onLine: LogSink): Promise<void> {
      check(NAME_PATTERN, name);
      const query = { stdout: true, stderr: true, timestamps: true, tail: 200 };
      const path = ['containers', name, 'logs'];
      const call = { method: 'GET', path, query, signal, what: `reading the log of ${name}` } as const;
      await readFramedLog(await socket.open(call), onLine);
    },

    stats(name: string, signal: AbortSignal): Promise<Stats> {
      check(NAME_PATTERN, name);
      const path = ['containers', name, 'stats'];
      const query = { stream: false, 'one-shot': true };
      return ask({ method: 'GET', path, query, signal, timeoutMs: 5_000, what: `measuring ${name}` }, Stats);
    },

    /** Unpacks a tar archive into a directory of one of its volumes. */
    async putArchive(name: string, directory: string, archive: Buffer): Promise<void> {
      const id = await ownId(name);
      if (id === null) throw new EngineError('not_found', `the container ${name} is gone`);
      const query = { path: directory, noOverwriteDirNonDir: true };
      const path = ['containers', id, 'archive'];
      await socket.ask({ method: 'PUT', path, query, archive, what: `writing into ${name}` });
    },

    /** Whether a path is there in a container, started or not. */
    async hasFile(name: string, path: string): Promise<boolean> {
      check(NAME_PATTERN, name);
      const call = { path: ['containers', name, 'archive'], query: { path }, what: `looking at ${path}` };
      try {
        (await socket.open({ ...call, method: 'HEAD' })).destroy();
        return true;
      } catch (error) {
        if (hasCode(error, 'not_found')) return false;
        throw error;
      }
    },

    inspectNetwork(name: string): Promise<NetworkDetail | null> {
      check(NAME_PATTERN, name);
      const call = {
        method: 'GET',
        path: ['networks', name],
        what: `looking at the network ${name}`,
      } as const;
      return ask(call, NetworkDetail).catch(nullIfGone);
    },

    listNetworks(labels: readonly string[] = []): Promise<z.infer<typeof NetworkList>> {
      const query = { filters: JSON.stringify({ label: [...ofBox, ...labels] }) };
      return ask({ method: 'GET', path: ['networks'], query, what: 'listing networks' }, NetworkList);
    },

    /** One without a way out, and (but in tests) without an address of the host on it. */
    async createInternalNetwork(
      name: string,
      labels: Readonly<Record<string, string>>,
      o2: { readonly isReachableFromHost?: boolean } = {},
    ): Promise<void> {
      check(NAME_PATTERN, name);
      if ((await this.inspectNetwork(name)) !== null) return;
      const body = {
        Name: name,
        Driver: 'bridge',
        Internal: true,
        Options: o2.isReachableFromHost ? {} : { 'com.docker.network.bridge.inhibit_ipv4': 'true' },
        Labels: { ...labels, [LABELS.box]: o.box },
      };
      await socket.ask({ method: 'POST', path: ['networks', 'create'], body, what: `making ${name}` });
    },

    async connectNetwork(network: string, container: string, aliases: readonly string[]): Promise<void> {
      check(NAME_PATTERN, network);
      const id = await ownId(container);
      if (id === null) throw new EngineError('not_found', `the container ${container} is gone`);
      const body = { Container: id, EndpointConfig: { Aliases: aliases } };
      const path = ['networks', network, 'connect'];
      await socket.ask({ method: 'POST', path, body, what: `connecting ${container} to ${network}` });
    },

    /** False where something is still on it. */
    async removeNetwork(name: string): Promise<boolean> {
      const found = await this.inspectNetwork(name);
      if (found === null || found.Labels[LABELS.box] !== o.box) return found === null;
      try {
        await socket.ask({ method: 'DELETE', path: ['networks', name], what: `removing ${name}` });
        return true;
      } catch (error) {
        if (hasCode(error, 'not_found')) return true;
        if (error instanceof EngineError && /active endpoints/.test(error.message)) return false;
        throw error;
      }
    },

    listVolumes(labels: readonly string[] = []): Promise<readonly z.infer<typeof VolumeDetail>[]> {
      const query = { filters: JSON.stringify({ label: [...ofBox, ...labels] }) };
      return ask({ method: 'GET', path: ['volumes'], query, what: 'listing volumes' }, VolumeList).then(
        ({ Volumes }) => Volumes ?? [],
      );
    },

    inspectVolume(name: string): Promise<z.infer<typeof VolumeDetail> | null> {
      check(NAME_PATTERN, name);
      const call = { method: 'GET', path: ['volumes', name], what: `looking at the volume ${name}` } as const;
      return ask(call, VolumeDetail).catch(nullIfGone);
    },

    /** False where a container still has it. */
    async removeVolume(name: string): Promise<boolean> {
      const found = await this.inspectVolume(name);
      if (found === null) return true;
      if (found.Labels[LABELS.box] !== o.box) {
        throw new EngineError('refused', `the volume ${name} is not of the box ${o.box}: it is left alone`);
      }
      try {
        await socket.ask({ method: 'DELETE', path: ['volumes', name], what: `removing ${name}` });
        return true;
      } catch (error) {
        if (hasCode(error, 'not_found')) return true;
        if (hasCode(error, 'conflict')) return false;
        throw error;
      }
    },

    /** Events of this box's containers until the signal is aborted or the connection breaks. */
    async followEvents(
      o2: {
        readonly since: string | null;
        readonly actions: readonly string[];
        readonly signal: AbortSignal;
      },
      onEvent: (event: EngineEvent) => void,
    ): Promise<void> {
      const filters = { type: ['container'], event: o2.actions, label: ofBox };
      const query = {
        filters: JSON.stringify(filters),
        ...(o2.since === null ? {} : { since: o2.since }),
      };
      const { signal } = o2;
      const call = { method: 'GET', path: ['events'], query, signal, what: 'following its events' } as const;
      for await (const line of readJsonLines(await socket.open(call))) {
        const event = EngineEvent.safeParse(line);
        if (event.success) onEvent(event.data);
      }
    },
  };
}

function check(pattern: RegExp, name: string): void {
  if (!pattern.test(name)) {
    throw new EngineError('refused', `${JSON.stringify(name)} is no name for the container engine`);
  }
}

function nullIfGone(error: unknown): null {
  if (hasCode(error, 'not_found')) return null;
  throw error;
}
