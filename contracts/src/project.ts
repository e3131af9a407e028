import { z } from 'zod';
import { Commit, EnvironmentName, Instant, ProjectName } from './names.ts';

export const Project = z.object({
  name: ProjectName,
  createdAt: Instant,
  /** Null until something has landed or was imported. */
  mainCommit: Commit.nullable(),
  origin: z.enum(['story', 'import']),
});

/** How a commit of a project is run; read from `dbox.yaml`, else detected, by the manager. */
export const RunPlan = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('command'),
    build: z.string().nullable(),
    /** Gets `PORT` and `DATA_DIR`; must listen on 127.0.0.1 or all addresses. */
    run: z.string(),
    /** Where the plan came from, for people: `dbox.yaml`, `npm start`. */
    from: z.string(),
  }),
  z.object({ kind: z.literal('static'), build: z.string().nullable(), root: z.string(), from: z.string() }),
  /** Built by the project's own Dockerfile; only where releases run in containers. */
  z.object({
    kind: z.literal('dockerfile'),
    path: z.string(),
    /** Where it listens; null: the one port the image exposes, else `PORT`. */
    port: z.int().min(1).max(65535).nullable(),
    from: z.string(),
  }),
  /** The project's own compose file, read and rebuilt, never passed through; only where releases run in containers. */
  z.object({ kind: z.literal('compose'), path: z.string(), from: z.string() }),
  z.object({ kind: z.literal('nothing') }),
]);

export const EnvironmentKey = z.object({ project: ProjectName, environment: EnvironmentName });

export type Project = z.infer<typeof Project>;
export type RunPlan = z.infer<typeof RunPlan>;
export type EnvironmentKey = z.infer<typeof EnvironmentKey>;
