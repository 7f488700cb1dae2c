import type { Tokenizer } from '@keel/model';
import { isDesirable } from '../data/label-probability.ts';
import type { UnpairedRow } from '../data/rows.ts';
import type { NamedTokenise } from '../tokenising/tokenise-rows.ts';
import type { PromptedAnswer } from './pack-answers.ts';
import { tokeniseAnswers } from './tokenise-answers.ts';
import type { TokeniseOptions } from './tokenise-pair.ts';

export interface TokenisedUnpaired extends PromptedAnswer {
  prompt: number[];
  /** Whether the answer is desirable, or more probably desirable than not. */
  label: boolean;
  /** Probability that it is desirable; absent: it follows from the label. */
  labelProbability?: number;
  /** Whether the answer was cut off at the maximum length. */
  truncated: boolean;
  /**
   * Fields of the answer of which the chat template drops text; absent if there are none.
   */
  lost?: string[];
}

/**
 * Whether any token of the answer can be scored: without a prompt, nothing predicts its first one.
 */
export const canBeScored = ({ prompt, answer }: PromptedAnswer): boolean =>
  answer.scored.includes(true, prompt.length > 0 ? 0 : 1);

/**
 * Tokenises a row with one labelled answer, as {@link tokenisePair} does with two answers.
 * @returns null if the prompt leaves no room within the maximum length
 * @throws ChatTemplateError, Error as in {@link tokeniseAnswers}
 */
export function tokeniseUnpaired(
  unpaired: UnpairedRow,
  tokenizer: Tokenizer,
  { maxLength }: TokeniseOptions,
): TokenisedUnpaired | null {
  const { completion, rendering, label_probability: labelProbability } = unpaired;
  const found = tokeniseAnswers(unpaired.prompt, [completion], tokenizer, rendering);
  const { prompt, lost } = found;
  const room = maxLength === null ? Number.POSITIVE_INFINITY : maxLength - prompt.length;
  if (room <= 0) return null;
  const whole = found.answers[0]!;
  const truncated = whole.tokens.length > room;
  const answer = truncated
    ? { ...whole, tokens: whole.tokens.slice(0, room), scored: whole.scored.slice(0, room) }
    : whole;
  const row = {
    ...{ prompt, answer, label: isDesirable(unpaired), truncated },
    ...(labelProbability !== undefined && { labelProbability }),
    ...(lost.length > 0 && { lost }),
  };
  return truncated && canBeScored({ prompt, answer: whole }) && !canBeScored(row) ? null : row;
}

/** {@link tokeniseUnpaired}, under a name by which a thread loads it. */
export const unpairedTokenising: NamedTokenise<UnpairedRow, TokenisedUnpaired, TokeniseOptions> = {
  run: tokeniseUnpaired,
  module: import.meta.url,
  name: 'tokeniseUnpaired',
};
