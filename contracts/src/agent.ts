import { z } from 'zod';
import { Instant, MadeId } from './names.ts';
import { AGENT_KINDS } from './statuses.ts';

export const Agent = z.object({
  id: MadeId,
  kind: z.enum(AGENT_KINDS),
  name: z.string(),
  version: z.string(),
  /** How many jobs it works on at once. */
  capacity: z.int().positive(),
  labels: z.array(z.string()),
  /** Notes a person should see, such as a missing sandbox. */
  warnings: z.array(z.string()),
  registeredAt: Instant,
  lastSeenAt: Instant,
  /** `lost` once nothing was heard for a whole lease. */
  state: z.enum(['online', 'lost']),
});
export type Agent = z.infer<typeof Agent>;
