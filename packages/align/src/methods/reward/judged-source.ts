import type { Tokenizer } from '@keel/model';
import {
  type JudgedOptions,
  judgedTokenising,
  type TokenisedJudged,
} from '../../batching/tokenise-judged.ts';
import type { JudgedRow } from '../../data/rows.ts';
import type { Placed } from '../../training/passes.ts';
import {
  type Fault,
  type Rows,
  type SourceOptions,
  TokenisedSource,
} from '../../training/tokenised-source.ts';

export interface PlacedJudged extends Placed {
  judged: TokenisedJudged;
}

/** Tokenised judged rows in training order, epoch after epoch. */
export class JudgedSource extends TokenisedSource<
  JudgedRow,
  TokenisedJudged,
  PlacedJudged,
  JudgedOptions
> {
  override readonly tooLongReason =
    'their answers, whose scores are read at the end, do not all fit';
  protected override readonly tooLongPart = "row's longest answer";

  /** @throws Error when there are no rows */
  constructor(
    rows: Rows<JudgedRow>,
    tokenizer: Tokenizer,
    { reading, ...options }: SourceOptions & { reading: Omit<JudgedOptions, 'maxLength'> },
  ) {
    const { maxLength } = options;
    const how = { how: judgedTokenising, options: { ...reading, maxLength } };
    super(rows, tokenizer, how, options);
  }

  protected longest({ prompt, answers }: TokenisedJudged): number {
    return prompt.length + Math.max(...answers.map(({ tokens }) => tokens.length));
  }

  protected sequences({ prompt, answers }: TokenisedJudged): readonly number[][] {
    return [prompt, ...answers.map(({ tokens }) => tokens)];
  }

  protected unscored({ answers, verdict }: TokenisedJudged): Fault | null {
    const place = answers.findIndex(({ reads }) => reads.length === 0);
    if (place < 0) return null;
    const pair = verdict.kind === 'pair';
    return {
      field: pair ? ['chosen', 'rejected'][place] : 'completions',
      expected: 'an answer with a token at which its score can be read',
      found: `${answers[place]!.tokens.length} tokens, none but the pad token`,
      advice: 'Fix the row, or pass --on-bad-row skip. --read-at last also reads the pad token',
    };
  }

  protected placed(row: number, judged: TokenisedJudged): PlacedJudged {
    return { row, judged };
  }
}
