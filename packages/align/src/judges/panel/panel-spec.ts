import { z } from 'zod';
import { panelRules } from './panel-judge.ts';

/** The keys of a panel's spec; `judges` are its members. */
export const panelShape = {
  type: z.literal('panel'),
  /** Its name in results (default: panel). */
  name: z.string().min(1).optional(),
  rule: z.enum(panelRules).default('mean'),
};

/** What each member of a panel can have besides its own keys. */
export const memberShape = {
  weight: z.number().positive().default(1),
};
