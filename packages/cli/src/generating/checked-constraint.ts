import { answerConstraint } from '@keel/align/internal';
import {
  type Constraint,
  ConstraintError,
  type LanguageModel,
  type TokenConstraint,
} from '@keel/model';

/**
 * A constraint of an option compiled for the answers to a prompt.
 * @throws Error naming the option and the place of a fault in the constraint
 */
export async function checkedConstraint(
  model: LanguageModel,
  constraint: Constraint,
  flag: string,
  prompt: readonly number[] = [],
): Promise<TokenConstraint> {
  try {
    return await answerConstraint(model, constraint, prompt);
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error;
    throw new Error(`${flag}: ${error.message}`, { cause: error });
  }
}
