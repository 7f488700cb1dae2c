import { withinTime } from '@keel/model';
import { z } from 'zod';
import type { Check } from './check.ts';
import { normalised } from './exact.ts';
import { simpleCheck } from './simple-check.ts';
import { targetsOf } from './target.ts';

export const regexSchema = z
  .strictObject({
    type: z.literal('regex'),
    /** A JavaScript regular expression, without slashes. */
    pattern: z.string().min(1),
    flags: z.string().default(''),
    /** Right if it matches, or if it does not. */
    mode: z.enum(['match', 'no_match']).default('match'),
    /** The group of its last match that must equal the right answer. */
    group: z.int().min(0).optional(),
  })
  .superRefine(({ pattern, flags }, context) => {
    try {
      new RegExp(pattern, flags);
    } catch (error) {
      const message = (error as Error).message;
      context.addIssue({ code: 'custom', path: ['pattern'], message });
    }
  });

/** An expression that takes this long tries every way to divide the text, and would not finish. */
const LONGEST_SECONDS = 10;

/** Whether a regular expression matches the answer, or what it reads there is right. */
export function regexCheck(spec: z.output<typeof regexSchema>): Check {
  const { pattern, mode, group } = spec;
  const flags = [...new Set(`${spec.flags.replace('y', '')}g`)].join('');
  const name = `regex:/${pattern}/${spec.flags}`;
  const lastMatch = (answer: string): RegExpMatchArray | undefined =>
    withinTime(
      LONGEST_SECONDS * 1000,
      () => [...answer.matchAll(new RegExp(pattern, flags))].at(-1),
      () =>
        new Error(
          `${name} takes more than ${LONGEST_SECONDS} seconds on an answer of ${answer.length} characters. Rewrite the pattern without nested repetitions such as (a+)+`,
        ),
    );
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
