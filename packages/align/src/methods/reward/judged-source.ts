import type { Tokenizer } from '@keel/model';
import { rankedTwice } from '../../batching/same-answers.ts';
import {
  type JudgedOptions,
  judgedTokenising,
  type TokenisedJudged,
} from '../../batching/tokenise-judged.ts';
import type { JudgedRow } from '../../data/rows.ts';
import { sameAnswersFault, silentFault } from '../../training/answer-faults.ts';
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

  /** Labels of the steps of the usable rows read so far. */
  readonly stepLabels = new Set<boolean>();
  /** Whether a usable row read so far compares answers. */
  hasComparisons = false;

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

  protected unscored({ answers, fields, verdict }: TokenisedJudged): Fault | null {
    const silent = answers.findIndex((answer) => answer.silent);
    if (silent >= 0) return silentFault(fields[silent]);
    const place = answers.findIndex(({ reads }) => reads.length === 0);
    if (place < 0) {
      if (verdict.kind === 'process') return null;
      const same = rankedTwice(answers, verdict.kind === 'pair' ? [1, 2] : verdict.ranks);
      return same && sameAnswersFault(fields[same[0]]!, fields[same[1]]!);
    }
    return {
      field: fields[place],
      expected: 'an answer with a token at which its score can be read',
      found: `${answers[place]!.tokens.length} tokens, none but the pad token`,
      advice: 'Fix the row, or pass --on-bad-row skip. --read-at last also reads the pad token',
    };
  }

  protected placed(row: number, judged: TokenisedJudged): PlacedJudged {
    const { verdict } = judged;
    if (verdict.kind !== 'process') this.hasComparisons = true;
    else for (const label of verdict.labels) this.stepLabels.add(label);
    return { row, judged };
  }
}
