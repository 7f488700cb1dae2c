import {
  type Constraint,
  compileConstraint,
  type LanguageModel,
  opensReasoning,
  type TokenConstraint,
} from '@keel/model';

/**
 * A constraint compiled for a model's answers to a prompt. If the prompt opens a reasoning block,
 * the constraint starts after it.
 * @param prompt token ids
 * @throws ConstraintError naming the place of a fault in the constraint
 */
export const answerConstraint = (
  { tokenizer, decoder }: LanguageModel,
  constraint: Constraint,
  prompt: readonly number[],
): Promise<TokenConstraint> =>
  compileConstraint(tokenizer, constraint, {
    vocabularySize: decoder.config.vocabularySize,
    stopTokenIds: [...tokenizer.endOfTurnIds],
    afterReasoning: opensReasoning(tokenizer, prompt),
  });
