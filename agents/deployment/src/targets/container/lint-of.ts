import { readFileInside } from '../inside-tree.ts';
import { type DockerfileToLint, lintDockerfile } from './dockerfile/lint-dockerfile.ts';
import { describeErrors } from './findings/finding-list.ts';

const MAX_BYTES = 1024 * 1024;

/** What forbids to build by a Dockerfile of the commit, a line each; empty where nothing does. */
export async function lintOf(o: Omit<DockerfileToLint, 'text'> & { readonly tree: string }): Promise<string> {
  const text = await readFileInside(o.tree, o.file, MAX_BYTES);
  if (text === null) return `there is no file ${o.file} that can be read`;
  return describeErrors(lintDockerfile({ ...o, text }).findings);
}
