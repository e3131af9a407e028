export { createGitRepositories } from './git-repositories.ts';
export { probeGit } from './probe-git.ts';
export type { RepositoryArchive } from './repository-archive.ts';
export { createRepositoryArchive, projectOfPlace } from './repository-archive.ts';
