import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { needsInstall } from '@dbox/sandbox';
import type { Engine } from '../../engine/engine.ts';
import { LABELS, type Names } from '../../engine/names.ts';
import { isDirectoryInside } from '../inside-tree.ts';
import type { BuildOutcome, LineSink, ReleaseBuild } from '../target.ts';
import { buildImage } from './build-image.ts';
import type { Limits } from './compose-file/read-limits.ts';
import { buildProject } from './compose-project/build-project.ts';
import { type BuildRecipe, CONTEXT, generateDockerfile } from './generated-dockerfile.ts';
import { readProjectNpmrc, tellLeftOut } from './project-npmrc.ts';
import { readIgnores, readPlain } from './read-ignores.ts';

const BUILD_TIMEOUT_MS = 600_000;
const STATIC_SERVER = join(import.meta.dirname, '../../inside/static-server.mjs');

/** Builds a commit's image: by its own Dockerfile, or by one made for it. Rejects only when `signal` is aborted. */
export async function buildRelease(o: {
  readonly run: ReleaseBuild;
  readonly engine: Engine;
  readonly names: Names;
  /** What one container of a project may have. */
  readonly most: Limits;
  readonly readNpmrc: () => Promise<string | null>;
  readonly signal: AbortSignal;
  readonly onLine: LineSink;
}): Promise<BuildOutcome> {
  const { run, engine, names, signal, onLine } = o;
  const { tree, runPlan } = run;
  const common = {
    engine,
    names,
    tag: names.image(run.project, run.commit),
    labels: { [LABELS.project]: run.project, [LABELS.commit]: run.commit, [LABELS.role]: 'release' },
    timeoutMs: BUILD_TIMEOUT_MS,
    signal,
    onLine,
  };
  try {
    if (runPlan.kind === 'compose') {
      const { most } = o;
      return await buildProject({ run, composePath: runPlan.path, engine, names, most, signal, onLine });
    }
    if (runPlan.kind === 'dockerfile') {
      const ignores = await readIgnores(tree, runPlan.path);
      return await buildImage({
        ...common,
        dockerfile: runPlan.path,
        context: { tree, under: '', ignores, own: [] },
      });
    }
    if (
      runPlan.kind === 'static' &&
      runPlan.build === null &&
      !(await isDirectoryInside(tree, runPlan.root))
    ) {
      return refused(`there is no directory \`${runPlan.root}\` to serve`);
    }
    const npmrc = await o.readNpmrc();
    const project = readProjectNpmrc((await readPlain(join(tree, '.npmrc'))) ?? '');
    const recipe = await recipeOf(run, { hasNpmrc: npmrc !== null, hasProjectNpmrc: project.text !== '' });
    const leftOut = recipe.needsInstall ? tellLeftOut(project.leftOut) : null;
    if (leftOut !== null) onLine('stderr', leftOut);
    const own = [{ path: 'Dockerfile', content: generateDockerfile(recipe) }];
    if (recipe.hasNpmrc && npmrc !== null) own.push({ path: CONTEXT.npmrc, content: npmrc });
    if (recipe.hasProjectNpmrc) own.push({ path: CONTEXT.projectNpmrc, content: project.text });
    if (runPlan.kind === 'static') {
      own.push({ path: CONTEXT.staticServer, content: await readFile(STATIC_SERVER, 'utf8') });
    }
    return await buildImage({
      ...common,
      dockerfile: 'Dockerfile',
      context: { tree, under: CONTEXT.app, ignores: () => false, own },
    });
  } catch (error) {
    signal.throwIfAborted();
    const detail = `the image could not be built: ${(error as Error).message}`;
    return { ok: false, cause: 'host', detail, outputTail: '' };
  }
}

function refused(detail: string): BuildOutcome {
  return { ok: false, cause: 'commit', detail, outputTail: '' };
}

async function recipeOf(
  run: ReleaseBuild,
  npmrc: Pick<BuildRecipe, 'hasNpmrc' | 'hasProjectNpmrc'>,
): Promise<BuildRecipe> {
  const { tree, runPlan } = run;
  if (runPlan.kind !== 'command' && runPlan.kind !== 'static')
    throw new Error(`no recipe for ${runPlan.kind}`);
  const locks = ['package-lock.json', 'npm-shrinkwrap.json'];
  const present = await Promise.all(
    ['package.json', ...locks].map(async (file) =>
      (await readPlain(join(tree, file))) === null ? [] : [file],
    ),
  );
  const manifests = present.flat();
  const hasModules = await lstat(join(tree, 'node_modules')).then(
    () => true,
    () => false,
  );
  const mayInstall = runPlan.kind === 'command' || runPlan.build !== null;
  return {
    manifests,
    needsInstall: mayInstall && !hasModules && needsInstall(await readPlain(join(tree, 'package.json'))),
    isLocked: manifests.some((file) => locks.includes(file)),
    ...npmrc,
    build: runPlan.build,
    start:
      runPlan.kind === 'command'
        ? { kind: 'command', run: runPlan.run }
        : { kind: 'static', root: runPlan.root },
  };
}
