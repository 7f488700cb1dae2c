import type { Tokenizer } from '@keel/model';
import type { ScoringRules } from '../../batching/scoring-rules.ts';
import {
  type ExampleOptions,
  exampleTokenising,
  scoredCount,
  type TokenisedExample,
} from '../../batching/tokenise-example.ts';
import type { SupervisedRow } from '../../data/rows.ts';
import { silentFault } from '../../training/answer-faults.ts';
import type { Placed } from '../../training/passes.ts';
import {
  type Fault,
  type Rows,
  type SourceOptions,
  TokenisedSource,
} from '../../training/tokenised-source.ts';

export interface PlacedExample extends Placed {
  example: TokenisedExample;
}

/** Tokenised rows of supervised fine-tuning in training order, epoch after epoch. */
export class ExampleSource extends TokenisedSource<
  SupervisedRow,
  TokenisedExample,
  PlacedExample,
  ExampleOptions
> {
  /** @throws Error when there are no rows */
  constructor(
    rows: Rows<SupervisedRow>,
    tokenizer: Tokenizer,
    { rules, ...options }: SourceOptions & { rules: ScoringRules },
  ) {
    const { maxLength } = options;
    const how = { how: exampleTokenising, options: { ...rules, maxLength } };
    super(rows, tokenizer, how, options);
  }

  protected longest({ tokens }: TokenisedExample): number {
    return tokens.length;
  }

  protected sequences({ tokens }: TokenisedExample): readonly number[][] {
    return [tokens];
  }

  protected unscored(example: TokenisedExample): Fault | null {
    if (example.silent) return silentFault();
    if (scoredCount(example) > 0) return null;
    return {
      expected: 'a token to score',
      found: `${example.tokens.length} tokens, none of which can be scored`,
      advice:
        'Only assistant turns are scored, and the first token of a row has no context. Fix the row, or pass --on-bad-row skip',
    };
  }

  protected placed(row: number, example: TokenisedExample): PlacedExample {
    return { row, example };
  }
}
