import type { Tokenizer } from '@keel/model';
import { type PackedPairs, packedTokens, packPairs } from '../../batching/pack-pairs.ts';
import {
  areSame,
  pairTokenising,
  type TokenisedPair,
  type TokeniseOptions,
  unscoredAnswer,
} from '../../batching/tokenise-pair.ts';
import type { PreferenceRow } from '../../data/rows.ts';
import { sameAnswersFault, silentFault } from '../../training/answer-faults.ts';
import type { Packing, Placed } from '../../training/passes.ts';
import {
  type Fault,
  type Rows,
  type SourceOptions,
  TokenisedSource,
} from '../../training/tokenised-source.ts';

export type PreferenceRows = Rows<PreferenceRow>;

export interface PlacedPair extends Placed {
  pair: TokenisedPair;
}

export const pairPacking: Packing<PlacedPair, PackedPairs> = {
  tokens: ({ pair }) => packedTokens(pair),
  pack: (placed) => packPairs(placed.map(({ pair }) => pair)),
  scored: ({ scored }) => scored.rows.length,
};

/** Tokenised pairs in training order, epoch after epoch. */
export class PairSource extends TokenisedSource<
  PreferenceRow,
  TokenisedPair,
  PlacedPair,
  TokeniseOptions
> {
  /** @throws Error when there are no rows */
  constructor(
    rows: PreferenceRows,
    tokenizer: Tokenizer,
    options: SourceOptions & Pick<TokeniseOptions, 'betaField'>,
  ) {
    const { maxLength, betaField = null } = options;
    super(rows, tokenizer, { how: pairTokenising, options: { maxLength, betaField } }, options);
  }

  protected longest({ prompt, chosen, rejected }: TokenisedPair): number {
    return prompt.length + Math.max(chosen.tokens.length, rejected.tokens.length);
  }

  protected sequences({ prompt, chosen, rejected }: TokenisedPair): readonly number[][] {
    return [prompt, chosen.tokens, rejected.tokens];
  }

  override readonly tooLongReason =
    'their prompt leaves no room for an answer, or for the part where the answers differ,';

  protected unscored(pair: TokenisedPair): Fault | null {
    const field = unscoredAnswer(pair);
    const silent = (['chosen', 'rejected'] as const).find((name) => pair[name].silent);
    if (silent !== undefined) return silentFault(silent);
    if (field === null) return areSame(pair) ? sameAnswersFault('chosen', 'rejected') : null;
    return {
      field,
      expected: 'an answer of the assistant with a token to score',
      found: `${pair[field].tokens.length} tokens, none of which can be scored`,
      advice:
        'With no prompt, the first token of an answer has no context, and only assistant turns are scored. Fix the row, or pass --on-bad-row skip',
    };
  }

  protected placed(row: number, pair: TokenisedPair): PlacedPair {
    return { row, pair };
  }
}
