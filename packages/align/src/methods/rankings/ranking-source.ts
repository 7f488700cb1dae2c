import type { Tokenizer } from '@keel/model';
import { rankedTwice } from '../../batching/same-answers.ts';
import type { TokeniseOptions } from '../../batching/tokenise-pair.ts';
import {
  type PackedRankings,
  packRankings,
  rankingTokenising,
  rankingTokens,
  type TokenisedRanking,
} from '../../batching/tokenise-ranking.ts';
import { canBeScored } from '../../batching/tokenise-unpaired.ts';
import type { JudgedRow } from '../../data/rows.ts';
import { sameAnswersFault, silentFault } from '../../training/answer-faults.ts';
import type { Packing, Placed } from '../../training/passes.ts';
import {
  type Fault,
  type Rows,
  type SourceOptions,
  TokenisedSource,
} from '../../training/tokenised-source.ts';

export interface PlacedRanking extends Placed {
  ranking: TokenisedRanking;
}

export const rankingPacking: Packing<PlacedRanking, PackedRankings> = {
  tokens: ({ ranking }) => rankingTokens(ranking),
  pack: (placed) => packRankings(placed.map(({ ranking }) => ranking)),
  scored: ({ scored }) => scored.rows.length,
};

/** Tokenised rankings in training order, epoch after epoch. */
export class RankingSource extends TokenisedSource<
  JudgedRow,
  TokenisedRanking,
  PlacedRanking,
  TokeniseOptions
> {
  /** @throws Error when there are no rows */
  constructor(rows: Rows<JudgedRow>, tokenizer: Tokenizer, options: SourceOptions) {
    const { maxLength } = options;
    super(rows, tokenizer, { how: rankingTokenising, options: { maxLength } }, options);
  }

  protected longest({ prompt, answers }: TokenisedRanking): number {
    return prompt.length + Math.max(...answers.map(({ tokens }) => tokens.length));
  }

  protected sequences({ prompt, answers }: TokenisedRanking): readonly number[][] {
    return [prompt, ...answers.map(({ tokens }) => tokens)];
  }

  override readonly tooLongReason =
    'their prompt leaves no room for an answer, or for what tells the answers apart,';

  protected unscored({ prompt, answers, ranks, fields }: TokenisedRanking): Fault | null {
    const silent = answers.findIndex((answer) => answer.silent);
    if (silent >= 0) return silentFault(fields[silent]);
    const bad = answers.findIndex((answer) => !canBeScored({ prompt, answer }));
    if (bad < 0) {
      const same = rankedTwice(answers, ranks);
      return same && sameAnswersFault(fields[same[0]]!, fields[same[1]]!);
    }
    return {
      field: fields[bad],
      expected: 'an answer of the assistant with a token to score',
      found: `${answers[bad]!.tokens.length} tokens, none of which can be scored`,
      advice:
        'With no prompt, the first token of an answer has no context, and only assistant turns are scored. Fix the row, or pass --on-bad-row skip',
    };
  }

  protected placed(row: number, ranking: TokenisedRanking): PlacedRanking {
    return { row, ranking };
  }
}
