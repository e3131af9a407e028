import { z } from 'zod';

/** A task spec as a person writes it, structure only. */
export const rawTaskSpecSchema = z.strictObject({ id: z.string() });
