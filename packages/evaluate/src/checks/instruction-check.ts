import { ConfigError } from '@keel/align/config';
import { z } from 'zod';
import {
  followsLoosely,
  followsStrictly,
  type Instruction,
  readInstructions,
} from '../instructions/follow-instructions.ts';
import { type Check, CheckError, type CheckedRow, type Measure } from './check.ts';
import { simpleCheck } from './simple-check.ts';

export const instructionsSchema = z.strictObject({ type: z.literal('instructions') });

/**
 * Whether an answer follows all instructions of a row with IFEval's `instruction_id_list` and
 * `kwargs`. Measures are the four accuracies of IFEval: of prompts (all instructions followed) and
 * of instructions, strict and loose. The score is the strict one of the prompt.
 */
export const instructionCheck = (): Check =>
  simpleCheck({
    name: 'instructions',
    admit: (row) => void instructionsOf(row),
    check(answer, row) {
      const instructions = instructionsOf(row);
      const strict = instructions.map((one) => followsStrictly(answer, one));
      const loose = instructions.map((one, index) => strict[index]! || followsLoosely(answer, one));
      const missed = instructions.filter((_, index) => !strict[index]).map(({ id }) => id);
      return {
        score: Number(missed.length === 0),
        measures: {
          prompt_strict: ofAll(strict),
          instruction_strict: ofEach(strict),
          prompt_loose: ofAll(loose),
          instruction_loose: ofEach(loose),
        },
        ...(missed.length > 0 && { note: `not followed: ${missed.join(', ')}` }),
      };
    },
  });

const ofAll = (followed: readonly boolean[]): Measure => ({
  sum: Number(followed.every(Boolean)),
  count: 1,
  share: true,
});

const ofEach = (followed: readonly boolean[]): Measure => ({
  sum: followed.filter(Boolean).length,
  count: followed.length,
  share: true,
});

function instructionsOf({ extra }: CheckedRow): Instruction[] {
  try {
    return readInstructions(extra.instruction_id_list, extra.kwargs);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [field] = error.message.split(/[: ]/, 1);
    const message = error.message.replace(`${field}: `, '');
    throw new CheckError(field!, message, { cause: error });
  }
}
