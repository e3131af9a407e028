import { createHash } from 'node:crypto';
import type { Repositories } from '../../ports/repositories.ts';
import { BundleRefusedError } from '../../ports/repositories.ts';

type Files = Readonly<Record<string, string>>;
interface Commit {
  readonly files: Files;
  readonly parents: readonly string[];
}

/** Git as the use cases see it: commits are maps of files, a "bundle path" is a commit's hash. */
export class MemoryRepositories implements Repositories {
  private readonly commits = new Map<string, Commit>();
  readonly mains = new Map<string, string>();

  commit(files: Files, parents: readonly string[]): string {
    const hash = createHash('sha1')
      .update(JSON.stringify([Object.entries(files).sort(), parents]))
      .digest('hex');
    this.commits.set(hash, { files, parents });
    return hash;
  }

  filesOf(commit: string): Files {
    return this.find(commit).files;
  }

  async create(): Promise<string> {
    return this.commit({}, []);
  }
  async remove(): Promise<void> {}
  async importBundle(_project: string, bundlePath: string): Promise<string> {
    return bundlePath;
  }

  async receive({ bundlePath, starts }: Parameters<Repositories['receive']>[0]): Promise<string> {
    const descends = starts.length === 0 || starts.some((start) => this.reaches(bundlePath, start));
    if (!descends) throw new BundleRefusedError('does not descend from its start');
    return bundlePath;
  }

  bundle(): never {
    throw new Error('bundles are for real repositories');
  }

  async isAncestor({ ancestor, descendant }: { ancestor: string; descendant: string }): Promise<boolean> {
    return this.reaches(descendant, ancestor);
  }

  async sameTree({ a, b }: { a: string; b: string }): Promise<boolean> {
    const [one, two] = [this.filesOf(a), this.filesOf(b)];
    return JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(two).sort());
  }

  async merge({ main, attempt }: Parameters<Repositories['merge']>[0]): ReturnType<Repositories['merge']> {
    const base = this.filesOf(this.mergeBase(main, attempt));
    const [ours, theirs] = [this.filesOf(main), this.filesOf(attempt)];
    const merged: Record<string, string> = {};
    const conflicts: string[] = [];
    for (const path of new Set([...Object.keys(base), ...Object.keys(ours), ...Object.keys(theirs)])) {
      const [was, our, their] = [base[path], ours[path], theirs[path]];
      if (our !== was && their !== was && our !== their) conflicts.push(path);
      const chosen = their === was ? our : their;
      if (chosen !== undefined) merged[path] = chosen;
    }
    return conflicts.length > 0
      ? { outcome: 'conflict', files: conflicts }
      : { outcome: 'merged', commit: this.commit(merged, [main, attempt]) };
  }

  async commitTreeOf({ treeOf, parent }: { treeOf: string; parent: string }): Promise<string> {
    return this.commit(this.filesOf(treeOf), [parent]);
  }

  async setMain(project: string, commit: string): Promise<void> {
    this.mains.set(project, commit);
  }
  async readMain(project: string): Promise<string | null> {
    return this.mains.get(project) ?? null;
  }
  async diff(): Promise<string> {
    return '';
  }
  async listFiles({ commit }: { commit: string }): Promise<string[]> {
    return Object.keys(this.filesOf(commit));
  }
  async readFile({ commit, path }: { commit: string; path: string }): Promise<string | null> {
    return this.filesOf(commit)[path] ?? null;
  }
  async layOut(): Promise<void> {}

  private find(commit: string): Commit {
    const found = this.commits.get(commit);
    if (!found) throw new Error(`no commit ${commit}`);
    return found;
  }

  private ancestors(commit: string): string[] {
    const found: string[] = [];
    for (const queue = [commit]; queue.length > 0; ) {
      const next = queue.shift()!;
      if (found.includes(next)) continue;
      found.push(next);
      queue.push(...this.find(next).parents);
    }
    return found;
  }

  private reaches(from: string, to: string): boolean {
    return this.ancestors(from).includes(to);
  }

  private mergeBase(a: string, b: string): string {
    const reachable = new Set(this.ancestors(a));
    const base = this.ancestors(b).find((commit) => reachable.has(commit));
    if (base === undefined) throw new Error('no common history');
    return base;
  }
}
