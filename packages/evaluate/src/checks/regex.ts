import {
  checkExpression,
  expressionName,
  expressionShape,
  globalFlags,
  withinPatience,
} from '@keel/align/rewards';
import { z } from 'zod';
import type { Check } from './check.ts';
import { normalised } from './exact.ts';
import { simpleCheck } from './simple-check.ts';
import { targetsOf } from './target.ts';

export const regexSchema = z
  .strictObject({
    type: z.literal('regex'),
    ...expressionShape,
    /** Right if it matches, or if it does not. */
    mode: z.enum(['match', 'no_match']).default('match'),
    /** The group of its last match that must equal the right answer. */
    group: z.int().min(0).optional(),
  })
  .superRefine(checkExpression);

/** Whether a regular expression matches the answer, or what it reads there is right. */
export function regexCheck(spec: z.output<typeof regexSchema>): Check {
  const { pattern, mode, group } = spec;
  const flags = globalFlags(spec);
  const name = expressionName(spec);
  const lastMatch = (answer: string): RegExpMatchArray | undefined =>
    withinPatience(answer, () => [...answer.matchAll(new RegExp(pattern, flags))].at(-1), name);
  return simpleCheck({
    name,
    admit: (row) => void (group === undefined || targetsOf(row)),
    check(answer, row) {
      const match = lastMatch(answer);
      if (group === undefined) {
        return { score: Number((match !== undefined) === (mode === 'match')) };
      }
      const read = match?.[group]?.trim() ?? null;
      const right = targetsOf(row).some((target) => normalised(target, ['whitespace']) === read);
      return { score: Number(right), read };
    },
  });
}
