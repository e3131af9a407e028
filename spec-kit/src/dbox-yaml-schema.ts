import { z } from 'zod';

/** `dbox.yaml` as a person writes it, structure only; `readRunPlan` checks the rest. */
export const rawDboxYamlSchema = z
  .strictObject({
    build: z
      .string()
      .min(1)
      .optional()
      .describe('Command that builds the commit, run once in its directory.'),
    run: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Command that serves the project. It gets PORT and must listen there; DATA_DIR survives releases.',
      ),
    static: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Directory of the commit (or of what `build` makes) that is served as files, instead of `run`.',
      ),
    dockerfile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Dockerfile of the commit that builds and runs the project, instead of `run`; where the box has containers.',
      ),
    compose: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Compose file of the commit with all services of the project, instead of `run`; where the box has containers.',
      ),
    port: z
      .int()
      .min(1)
      .max(65535)
      .optional()
      .describe('Where the container of `dockerfile` listens; left out: the one port it exposes, else PORT.'),
  })
  .describe(
    'How a project is built and run: one of `run`, `static`, `dockerfile` and `compose`, and `build` where it needs one.',
  );
