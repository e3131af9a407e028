export { createGitRepositories } from './git-repositories.ts';
export { probeGit } from './probe-git.ts';
