// attacks.json of `keel audit --reward`: what answers earn that must earn nothing.
import { z } from 'zod';
import { proportion } from './parts.ts';

/** The content of attacks.json. */
export const attacksFile = z.object({
  reward: z.string(),
  rows: z.number(),
  unscored: z.number(),
  won: z.boolean(),
  attacks: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(['empty', 'changed']),
      about: z.string(),
      wins: proportion.nullable(),
      score: z.number().nullable(),
      real: z.number().nullable(),
      unscored: z.number(),
      outcome: z.enum(['wins', 'level', 'loses', 'not tried']),
      example: z
        .object({
          prompt: z.string(),
          answer: z.string(),
          attack: z.string(),
          score: z.number(),
          real: z.number(),
        })
        .nullable(),
    }),
  ),
});

/** The content of attacks.json. */
export type AttacksFile = z.output<typeof attacksFile>;
