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
  z.object({ kind: z.literal('nothing') }),
]);

export const EnvironmentKey = z.object({ project: ProjectName, environment: EnvironmentName });

export type Project = z.infer<typeof Project>;
export type RunPlan = z.infer<typeof RunPlan>;
export type EnvironmentKey = z.infer<typeof EnvironmentKey>;
