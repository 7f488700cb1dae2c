// The constraint of sampled answers, for training on them: which tokens the sampler could choose
// from at each token of an answer. Policy, old policy and reference are all renormalised over these
// tokens, so ratios, entropies and the KL are those of the constrained distributions at the states
// that the answer visited. The masks are not stored: replaying the tokens gives them again.
import {
  type Constraint,
  compileConstraint,
  type LanguageModel,
  opensReasoning,
  type TokenConstraint,
} from '@keel/model';

type Compiled = Pick<TokenConstraint, 'words' | 'start'>;

/** The tokens that a model's constraints are compiled for. */
export const constraintTarget = ({ tokenizer, decoder }: LanguageModel) => ({
  vocabularySize: decoder.config.vocabularySize,
  stopTokenIds: [...tokenizer.endOfTurnIds],
});

export class AnswerConstraints {
  /** Words of 32 tokens in a mask. */
  readonly words: number;
  readonly #direct: Compiled;
  /** For answers that start inside a reasoning block. */
  readonly #afterReasoning: Compiled;
  readonly #opens: (prompt: readonly number[]) => boolean;

  /**
   * @param direct the constraint of whole answers
   * @param afterReasoning that of answers to prompts that open a reasoning block
   * @param opens whether a prompt, as token ids, opens one
   */
  constructor(
    direct: Compiled,
    afterReasoning: Compiled = direct,
    opens: (prompt: readonly number[]) => boolean = () => false,
  ) {
    this.words = direct.words;
    this.#direct = direct;
    this.#afterReasoning = afterReasoning;
    this.#opens = opens;
  }

  /** @throws ConstraintError naming the place of a fault in the constraint */
  static async compile(model: LanguageModel, constraint: Constraint): Promise<AnswerConstraints> {
    const { tokenizer } = model;
    const target = constraintTarget(model);
    return new AnswerConstraints(
      await compileConstraint(tokenizer, constraint, target),
      await compileConstraint(tokenizer, constraint, { ...target, afterReasoning: true }),
      (prompt) => opensReasoning(tokenizer, prompt),
    );
  }

  /** The constraint of the answers to a prompt. */
  of(prompt: readonly number[]): TokenConstraint {
    return this.#opens(prompt) ? this.#afterReasoning : this.#direct;
  }

  /**
   * Writes the mask of every token of an answer.
   * @param into [tokens of the answer, words]
   * @throws Error if the answer does not match the constraint
   */
  replay(prompt: readonly number[], answer: readonly number[], into: Int32Array): void {
    const state = this.of(prompt).start();
    try {
      for (const [at, token] of answer.entries()) {
        state.allowed(into.subarray(at * this.words, (at + 1) * this.words));
        state.accept(token);
      }
    } finally {
      state.dispose();
    }
  }
}
