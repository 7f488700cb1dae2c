import type { Tokenizer } from '@keel/model';
import {
  type PackedAnswers,
  type PromptedAnswer,
  packAnswers,
} from '../../batching/pack-answers.ts';
import { sameTokens } from '../../batching/same-answers.ts';
import type { TokeniseOptions } from '../../batching/tokenise-pair.ts';
import {
  canBeScored,
  type TokenisedUnpaired,
  unpairedTokenising,
} from '../../batching/tokenise-unpaired.ts';
import type { UnpairedRow } from '../../data/rows.ts';
import { silentFault } from '../../training/answer-faults.ts';
import type { Packing, Placed } from '../../training/passes.ts';
import {
  type Fault,
  type Rows,
  type SourceOptions,
  TokenisedSource,
} from '../../training/tokenised-source.ts';

export interface PlacedAnswer extends Placed {
  answer: PromptedAnswer;
}

export interface PlacedUnpaired extends PlacedAnswer {
  answer: TokenisedUnpaired;
}

/** The labels with which an answer is trained on: both if its label is uncertain. */
export const labelsOf = ({
  label,
  labelProbability = Number(label),
}: Pick<TokenisedUnpaired, 'label' | 'labelProbability'>): boolean[] => [
  ...(labelProbability > 0 ? [true] : []),
  ...(labelProbability < 1 ? [false] : []),
];

/** Tokens of a prompt and the answer to it. */
export const tokensOf = ({ answer: { prompt, answer } }: PlacedAnswer): number =>
  prompt.length + answer.tokens.length;

export const answerPacking: Packing<PlacedAnswer, PackedAnswers> = {
  tokens: tokensOf,
  pack: (placed) => packAnswers(placed.map(({ answer }) => answer)),
  scored: ({ scored }) => scored.rows.length,
};

/** Tokenised answers with their labels in training order, epoch after epoch. */
export class UnpairedSource extends TokenisedSource<
  UnpairedRow,
  TokenisedUnpaired,
  PlacedUnpaired,
  TokeniseOptions
> {
  /** Labels of the usable rows read so far. */
  readonly labels = new Set<boolean>();
  /** Whether the usable rows read so far have more than one prompt. */
  hasSeveralPrompts = false;
  #firstPrompt: readonly number[] | null = null;

  /** @throws Error when there are no rows */
  constructor(rows: Rows<UnpairedRow>, tokenizer: Tokenizer, options: SourceOptions) {
    const { maxLength } = options;
    super(rows, tokenizer, { how: unpairedTokenising, options: { maxLength } }, options);
  }

  protected longest({ prompt, answer }: TokenisedUnpaired): number {
    return prompt.length + answer.tokens.length;
  }

  protected sequences({ prompt, answer }: TokenisedUnpaired): readonly number[][] {
    return [prompt, answer.tokens];
  }

  protected unscored(row: TokenisedUnpaired): Fault | null {
    if (row.answer.silent) return silentFault('completion');
    if (canBeScored(row)) return null;
    return {
      field: 'completion',
      expected: 'an answer of the assistant with a token to score',
      found: `${row.answer.tokens.length} tokens, none of which can be scored`,
      advice:
        'With no prompt, the first token of an answer has no context, and only assistant turns are scored. Fix the row, or pass --on-bad-row skip',
    };
  }

  protected placed(row: number, answer: TokenisedUnpaired): PlacedUnpaired {
    for (const label of labelsOf(answer)) this.labels.add(label);
    this.#firstPrompt ??= answer.prompt;
    this.hasSeveralPrompts ||= !sameTokens(answer.prompt, this.#firstPrompt);
    return { row, answer };
  }
}
