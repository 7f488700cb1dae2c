import { z } from 'zod';

/** Whole numbers from `from` to `to`. */
export interface Scale {
  from: number;
  to: number;
}

const LARGEST = 101;

/** A scale as it is written: `1-5`. */
export const scaleSchema = z
  .string()
  .regex(/^\s*\d+\s*-\s*\d+\s*$/, 'a scale of whole numbers, such as 1-5 or 0-10')
  .transform((text): Scale => {
    const [from, to] = text.split('-').map(Number) as [number, number];
    return { from, to };
  })
  .refine(({ from, to }) => from < to, 'a scale whose first number is the smaller one, such as 1-5')
  .refine(({ from, to }) => to - from < LARGEST, `a scale of at most ${LARGEST} numbers`);

/** The ratings of a scale, as a judge writes them. */
export const ratingsOf = ({ from, to }: Scale): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
