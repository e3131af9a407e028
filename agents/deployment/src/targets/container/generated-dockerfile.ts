import { posix } from 'node:path';

export const BASE_IMAGE = 'node:24-bookworm-slim';
/** In the build context the commit's files lie under `app/`, beside what the box itself adds. */
export const CONTEXT = {
  app: 'app',
  npmrc: 'npmrc',
  projectNpmrc: 'project.npmrc',
  staticServer: 'static-server.mjs',
} as const;

export interface BuildRecipe {
  /** Files of npm that lie in the tree's root. */
  readonly manifests: readonly string[];
  readonly needsInstall: boolean;
  readonly isLocked: boolean;
  readonly hasNpmrc: boolean;
  /** The harmless part of the commit's own `.npmrc` lies in the context. */
  readonly hasProjectNpmrc: boolean;
  readonly build: string | null;
  readonly start:
    | { readonly kind: 'command'; readonly run: string }
    | { readonly kind: 'static'; readonly root: string };
}

const INSTALL_OPTIONS =
  '--ignore-scripts --git=git --no-audit --no-fund --no-progress --no-update-notifier --loglevel=error';

/**
 * How a commit without a Dockerfile of its own becomes an image. The files that name dependencies come
 * first, so that a commit that does not change them installs nothing. Registry settings are bound into
 * the one step that needs them: no layer and no history holds them.
 */
export function generateDockerfile(recipe: BuildRecipe): string {
  const { build, start } = recipe;
  const lines = [`FROM ${BASE_IMAGE}`, 'ENV NODE_ENV=production', 'WORKDIR /app'];
  if (recipe.needsInstall) {
    lines.push(
      `COPY ${recipe.manifests.map((file) => posix.join(CONTEXT.app, file)).join(' ')} ./`,
      ...(recipe.hasProjectNpmrc ? [`COPY ${CONTEXT.projectNpmrc} ./.npmrc`] : []),
      installStep(recipe),
    );
  }
  if (start.kind === 'static') lines.push(`COPY ${CONTEXT.staticServer} /opt/dbox/static-server.mjs`);
  lines.push(`COPY ${CONTEXT.app}/ ./`);
  if (build !== null) lines.push(shellStep(build));
  if (start.kind === 'static') lines.push(...rootCheck(start.root, build));
  lines.push('USER node');
  const command =
    start.kind === 'command'
      ? ['/bin/sh', '-c', start.run]
      : ['node', '/opt/dbox/static-server.mjs', '8080', posix.join('.', start.root)];
  lines.push(`CMD ${JSON.stringify(command)}`);
  return `${lines.join('\n')}\n`;
}

function installStep({ isLocked, hasNpmrc, build, start }: BuildRecipe): string {
  // What builds it is mostly a development dependency, and may be what runs it, too.
  const which = build === null && start.kind === 'command' ? '--omit=dev' : '--include=dev';
  const mounts = [
    '--mount=type=cache,target=/root/.npm',
    ...(hasNpmrc ? [`--mount=type=bind,source=${CONTEXT.npmrc},target=/root/.npmrc`] : []),
  ];
  // A package from git is prepared by an npm of its own, by an .npmrc of its own, beside the box's token;
  // where there is none, it still names no program (the variable: that npm is told by it alone).
  const git = hasNpmrc ? ' --allow-git=none' : '';
  return `RUN ${mounts.join(' ')} npm_config_git=git npm ${isLocked ? 'ci' : 'install'} ${which}${git} ${INSTALL_OPTIONS}`;
}

/** Any text as one shell command, whatever it holds: the JSON form is not read by a Dockerfile's own rules. */
function shellStep(command: string): string {
  return `RUN --network=none ${JSON.stringify(['/bin/sh', '-c', command])}`;
}

/** A directory that is only there after the build: really there, and really inside. */
function rootCheck(root: string, build: string | null): readonly string[] {
  if (build === null) return [];
  const quoted = `'${posix.join('.', root).replaceAll("'", `'\\''`)}'`;
  const test = `r=$(realpath -e -- ${quoted}) && test -d "$r" && case "$r/" in /app/*) exit 0;; esac; echo "there is no directory "${quoted}" to serve"; exit 1`;
  return [shellStep(test)];
}
