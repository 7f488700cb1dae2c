import type { Tokenizer } from '@keel/model';
import {
  type PromptOptions,
  promptTokenising,
  type TokenisedPrompt,
} from '../batching/tokenise-prompt.ts';
import type { PromptRow } from '../data/rows.ts';
import {
  type Fault,
  type Rows,
  type SourceOptions,
  TokenisedSource,
} from '../training/tokenised-source.ts';

export interface PlacedPrompt extends Omit<TokenisedPrompt, 'truncated'> {
  /** Index of the row in its dataset. */
  row: number;
}

/** Tokenised prompts in training order, epoch after epoch. */
export class PromptSource extends TokenisedSource<
  PromptRow,
  TokenisedPrompt,
  PlacedPrompt,
  PromptOptions
> {
  override readonly tooLongReason: string;
  readonly #newTokens: number;

  /**
   * @param newTokens that a prompt must leave room for
   * @throws Error when there are no rows
   */
  constructor(
    rows: Rows<PromptRow>,
    tokenizer: Tokenizer,
    { newTokens, ...options }: SourceOptions & { newTokens: number },
  ) {
    const { maxLength } = options;
    const maxPromptLength = maxLength === null ? null : maxLength - newTokens;
    super(rows, tokenizer, { how: promptTokenising, options: { maxPromptLength } }, options);
    this.tooLongReason = `they leave no room for --max-new-tokens ${newTokens}`;
    this.#newTokens = newTokens;
  }

  protected longest({ tokens }: TokenisedPrompt): number {
    return tokens.length + this.#newTokens;
  }

  protected sequences({ tokens }: TokenisedPrompt): readonly number[][] {
    return [tokens];
  }

  protected unscored({ tokens }: TokenisedPrompt): Fault | null {
    if (tokens.length > 0) return null;
    return {
      field: 'prompt',
      expected: 'a prompt of at least one token',
      found: 'none',
      advice: 'There is nothing to continue. Fix the row, or pass --on-bad-row skip',
    };
  }

  protected placed(row: number, { truncated: _, ...prompt }: TokenisedPrompt): PlacedPrompt {
    return { row, ...prompt };
  }
}
