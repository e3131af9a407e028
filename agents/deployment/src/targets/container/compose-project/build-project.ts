import { realpath } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import type { Engine } from '../../../engine/engine.ts';
import { EngineError } from '../../../engine/engine-error.ts';
import { LABELS, type Names } from '../../../engine/names.ts';
import { tarOf } from '../../../engine/tar-archive.ts';
import { isDirectoryInside, readFileInside } from '../../inside-tree.ts';
import type { BuildOutcome, LineSink, ReleaseBuild } from '../../target.ts';
import { buildImage } from '../build-image.ts';
import type { ComposeService, ServiceSource } from '../compose-file/compose-plan.ts';
import { readComposeFile } from '../compose-file/read-compose-file.ts';
import type { Limits } from '../compose-file/read-limits.ts';
import { describeErrors } from '../findings/finding-list.ts';
import { readIgnores } from '../read-ignores.ts';
import { writeManifest } from './project-manifest.ts';

const BUILD_TIMEOUT_MS = 600_000;
const MAX_COMPOSE_BYTES = 512 * 1024;
const MAX_DOCKERFILE_BYTES = 256 * 1024;
const DOCKERFILE_ELSEWHERE = '.dbox.Dockerfile';

export interface ProjectBuild {
  readonly run: ReleaseBuild;
  readonly composePath: string;
  readonly engine: Engine;
  readonly names: Names;
  readonly most: Limits;
  readonly signal: AbortSignal;
  readonly onLine: LineSink;
}

class BuildFailed extends Error {
  readonly outcome: BuildOutcome;
  constructor(outcome: BuildOutcome) {
    super('the build failed');
    this.outcome = outcome;
  }
}

/** Builds and fetches what a project's compose file names; the image it answers with stands for all of it. */
export async function buildProject(o: ProjectBuild): Promise<BuildOutcome> {
  const { run, names, composePath } = o;
  const composeFile = await readFileInside(run.tree, composePath, MAX_COMPOSE_BYTES);
  if (composeFile === null) return refused(`there is no file ${composePath} that can be read`, '');
  const { plan, findings } = readComposeFile({
    text: composeFile,
    file: composePath,
    settings: null,
    boxName: names.box,
    most: o.most,
  });
  for (const { line, message, hint, severity } of findings) {
    if (severity === 'warning') o.onLine('stderr', `${composePath}:${line}: ${message} ${hint}`);
  }
  if (plan === null) {
    const errors = describeErrors(findings);
    return refused(`${composePath} cannot be run here: ${errors.split('\n')[0]}`, errors);
  }
  try {
    const images: Record<string, string> = {};
    const built = new Map<string, string>();
    for (const service of plan.services) {
      const key = JSON.stringify(service.source);
      const image = built.get(key) ?? (await imageOf(o, service));
      built.set(key, image);
      images[service.name] = image;
    }
    return await buildManifest(o, writeManifest({ composeFile, path: composePath, images }));
  } catch (error) {
    if (error instanceof BuildFailed) return error.outcome;
    throw error;
  }
}

function imageOf(o: ProjectBuild, service: ComposeService): Promise<string> {
  const { source } = service;
  if (source.kind === 'image') return fetched(o, source.image);
  o.onLine('stdout', `building the service ${service.name}`);
  return builtImage(o, service.name, source);
}

async function fetched(o: ProjectBuild, image: string): Promise<string> {
  try {
    const here = await o.engine.inspectImage(image);
    if (here !== null) return here.Id;
    o.onLine('stdout', `fetching the image ${image}`);
    await o.engine.pull(image, o.signal);
  } catch (error) {
    o.signal.throwIfAborted();
    const { message } = error as Error;
    const isUnknown =
      /not found|manifest unknown|access denied|does not exist|invalid reference|is no name for/i.test(
        message,
      );
    const cause = isUnknown ? 'commit' : 'host';
    throw new BuildFailed({ ok: false, cause, detail: message.slice(0, 1_000), outputTail: '' });
  }
  const found = await o.engine.inspectImage(image);
  if (found === null) throw new EngineError('failed', `${image} was fetched and is not there`);
  return found.Id;
}

async function builtImage(
  o: ProjectBuild,
  service: string,
  source: Extract<ServiceSource, { kind: 'build' }>,
): Promise<string> {
  const { run, names } = o;
  if (!(await isDirectoryInside(run.tree, source.context))) {
    throw new BuildFailed(
      refused(`the service ${service} is built from ${source.context}, which is not there`, ''),
    );
  }
  const tree = await realpath(join(run.tree, source.context));
  const relative = posix.relative(source.context, source.dockerfile);
  const isElsewhere = relative.startsWith('../');
  const own = isElsewhere
    ? [{ path: DOCKERFILE_ELSEWHERE, content: await dockerfileOf(run.tree, source.dockerfile) }]
    : [];
  const dockerfile = isElsewhere ? DOCKERFILE_ELSEWHERE : relative;
  const outcome = await buildImage({
    ...o,
    context: { tree, under: '', ignores: await readIgnores(tree, dockerfile), own },
    dockerfile,
    dockerfileShownAs: source.dockerfile,
    tag: names.serviceImage(run.project, service, run.commit),
    labels: { [LABELS.project]: run.project, [LABELS.commit]: run.commit, [LABELS.role]: 'part' },
    ...(source.target === null ? {} : { target: source.target }),
    buildArguments: source.args,
    timeoutMs: BUILD_TIMEOUT_MS,
  });
  if (!outcome.ok) {
    throw new BuildFailed({ ...outcome, detail: `the service ${service}: ${outcome.detail}` });
  }
  return outcome.image!;
}

async function dockerfileOf(tree: string, path: string): Promise<string> {
  const text = await readFileInside(tree, path, MAX_DOCKERFILE_BYTES);
  if (text !== null) return text;
  throw new BuildFailed(refused(`there is no file ${path} that can be read`, ''));
}

/** One image of nothing but labels. */
async function buildManifest(
  o: ProjectBuild,
  manifest: Readonly<Record<string, string>>,
): Promise<BuildOutcome> {
  const { run, names, signal } = o;
  const tag = names.image(run.project, run.commit);
  const archive = tarOf([
    { path: 'Dockerfile', kind: 'file', mode: 0o644, content: 'FROM scratch\nCOPY commit /\n' },
    { path: 'commit', kind: 'file', mode: 0o644, content: run.commit },
  ]);
  const progress = await o.engine.build({
    context: Readable.from([archive]),
    tag,
    dockerfile: 'Dockerfile',
    labels: {
      ...manifest,
      [LABELS.project]: run.project,
      [LABELS.commit]: run.commit,
      [LABELS.role]: 'release',
    },
    signal,
    timeoutMs: BUILD_TIMEOUT_MS,
  });
  for await (const message of progress) {
    const { error } = message as { error?: string };
    if (error !== undefined) throw new EngineError('failed', `the image of the project: ${error}`);
  }
  const made = await o.engine.inspectImage(tag);
  if (made === null) throw new EngineError('failed', 'the image of the project was built and is not there');
  return { ok: true, image: made.Id };
}

function refused(detail: string, outputTail: string): BuildOutcome & { ok: false } {
  return { ok: false, cause: 'commit', detail, outputTail };
}
