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
  })
  .describe('How a project is built and run: `run` or `static`, and `build` where it needs one.');
