import {
  type Constraint,
  compileConstraint,
  type LanguageModel,
  opensReasoning,
  type TokenConstraint,
} from '@keel/model';
import { constraintTarget } from '../batching/answer-constraints.ts';

/**
 * A constraint compiled for a model's answers to a prompt. If the prompt opens a reasoning block,
 * the constraint starts after it.
 * @param prompt token ids
 * @throws ConstraintError naming the place of a fault in the constraint
 */
export const answerConstraint = (
  model: LanguageModel,
  constraint: Constraint,
  prompt: readonly number[],
): Promise<TokenConstraint> =>
  compileConstraint(model.tokenizer, constraint, {
    ...constraintTarget(model),
    afterReasoning: opensReasoning(model.tokenizer, prompt),
  });
