import { z } from 'zod';
import { type Check, CheckError, type CheckedRow } from './check.ts';
import { answerNumber } from './read-number.ts';
import { simpleCheck } from './simple-check.ts';
import { targetsOf } from './target.ts';

export const numberSchema = z.strictObject({
  type: z.literal('number'),
  /** Largest difference from the right number. */
  tolerance: z.number().min(0).default(0),
  /** Largest difference as a share of the right number. */
  relative: z.number().min(0).default(1e-9),
  /** Which number of the answer counts, unless one is marked by `####` or `\boxed{}`. */
  which: z.enum(['first', 'last']).default('last'),
});

/** Whether the answer's number is one of the right ones. */
export function numberCheck(spec: z.output<typeof numberSchema>): Check {
  return simpleCheck({
    name: 'number',
    admit: (row) => void numbersOf(row),
    check(answer, row) {
      const found = answerNumber(answer, spec.which);
      if (found === null) return { score: 0, read: null, note: 'no number in the answer' };
      const right = numbersOf(row).some(
        (target) =>
          Math.abs(found - target) <= Math.max(spec.tolerance, spec.relative * Math.abs(target)),
      );
      return { score: Number(right), read: String(found) };
    },
  });
}

const numbersOf = (row: CheckedRow): number[] =>
  targetsOf(row).map((text) => {
    const found = answerNumber(text);
    if (found !== null) return found;
    throw new CheckError('target', `expected a number, found ${JSON.stringify(text)}`);
  });
