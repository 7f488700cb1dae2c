// Verifiable instructions, as in IFEval (Zhou et al. 2023, arXiv:2311.07911): what every kind has
// in common. Ids and parameters are those of its data, so that its rows run.
import { z } from 'zod';

/** A kind of instruction whose fulfilment a program can verify. */
export interface InstructionKind {
  /** The parameters that a row may give; null is absent. */
  parameters: z.ZodObject;
  follows(answer: string, parameters: never): boolean;
}

/** Defines a kind so that `follows` gets checked parameters. */
export const instruction = <Shape extends z.ZodRawShape>(
  shape: Shape,
  follows: (answer: string, parameters: z.output<z.ZodObject<Shape>>) => boolean,
): InstructionKind => ({ parameters: z.strictObject(shape), follows });

export const text = z.string().min(1);
export const count = z.int().min(0);

/** IFEval's two relations. */
export const relation = z.enum(['less than', 'at least']);

export const isWithin = (found: number, wanted: number, how: z.output<typeof relation>): boolean =>
  how === 'less than' ? found < wanted : found >= wanted;

/** A pattern for a text as it is. */
export const literal = (part: string): string => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

export const matches = (answer: string, pattern: RegExp): number =>
  answer.match(pattern)?.length ?? 0;
