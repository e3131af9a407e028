import { join } from 'node:path';
import type { Config } from '../config.ts';
import { runDocker } from './docker.ts';
import { environmentFile } from './stack-files.ts';

const LOOK_LIMIT_MS = 20_000;
/** Those whose images are built from this checkout. */
export const SERVICES = [
  'manager',
  'gateway',
  'coding-agent',
  'testing-agent',
  'deployment-agent',
  'monitoring-agent',
] as const;

/** What makes up this box's stack, below the checkout. */
export function composeFiles({ tls }: Pick<Config, 'tls'>): string[] {
  return ['docker-compose.yml', ...(tls === null ? [] : ['deploy/tls/compose.yaml'])];
}

/** `docker compose` with this box's file and values, wherever it is called. */
export function composeArguments(config: Config, args: readonly string[]): string[] {
  const { checkoutDir, workspaceDir } = config;
  return [
    'compose',
    ...['--project-directory', checkoutDir],
    ...composeFiles(config).flatMap((file) => ['--file', join(checkoutDir, file)]),
    ...['--env-file', environmentFile(workspaceDir)],
    ...args,
  ];
}

export async function runningServices(config: Config, boxName: string): Promise<Set<string>> {
  const listed = await runDocker({
    config,
    args: [
      ...['ps', '--filter', `label=com.docker.compose.project=${boxName}`],
      ...['--format', '{{.Label "com.docker.compose.service"}}'],
    ],
    timeoutMs: LOOK_LIMIT_MS,
  });
  return new Set(listed.stdout.split('\n').filter((name) => name !== ''));
}

/** Services that do not run, or whose health check fails. */
export async function unhealthyServices(
  config: Config,
  boxName: string,
): Promise<{ readonly service: string; readonly status: string }[]> {
  const listed = await runDocker({
    config,
    args: [
      ...['ps', '--all', '--filter', `label=com.docker.compose.project=${boxName}`],
      ...['--format', '{{.Label "com.docker.compose.service"}}\t{{.Status}}'],
    ],
    timeoutMs: LOOK_LIMIT_MS,
  });
  return listed.stdout
    .split('\n')
    .filter((line) => line !== '' && !line.includes('(healthy)'))
    .map((line) => {
      const [service = '', status = ''] = line.split('\t');
      return { service, status };
    });
}
