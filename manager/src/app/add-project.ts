import type { Readable } from 'node:stream';
import type { Project } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { BundleRefusedError } from '../ports/repositories.ts';
import type { AppContext } from './context.ts';
import { transact } from './context.ts';
import { insertProject } from './project-steps.ts';
import { toWireProject } from './views.ts';

/** A project from nothing, or with the history of a git bundle. A refused bundle leaves no project. */
export async function addProject(
  context: AppContext,
  project: { readonly name: string; readonly bundle: Readable | null; readonly actor: string },
): Promise<Project> {
  const { name, actor } = project;
  const taken = await context.store.read((reader) => reader.projects.get(name));
  if (taken) throw nameTaken(name);
  const root = await context.repositories.create(name);
  const imported = project.bundle
    ? await context.files.withIncoming(project.bundle, (path) => importFrom(context, name, path))
    : null;
  const inserted = await transact(context, async (tx) => {
    if (await tx.projects.get(name)) throw nameTaken(name);
    return insertProject(context, tx, {
      name,
      mainCommit: imported ?? root,
      origin: imported ? 'import' : 'story',
      actor,
    });
  });
  return toWireProject(inserted);
}

async function importFrom(context: AppContext, name: string, path: string): Promise<string> {
  try {
    return await context.repositories.importBundle(name, path);
  } catch (cause) {
    if (cause instanceof BundleRefusedError)
      throw new ProblemError('bundle_refused', cause.message, { cause });
    throw cause;
  }
}

function nameTaken(name: string): ProblemError {
  return new ProblemError(
    'project_taken',
    `the project name ${name} is taken; choose another, or go on with it: \`dbox story --project ${name} …\``,
  );
}
