// Rows as a verb reads them: their kind, which of them it refuses, and what they become.
import type { Tokenizer } from '@keel/model';
import { defaultScoring } from '../batching/scoring-rules.ts';
import { scoredCount } from '../batching/tokenise-example.ts';
import type { DataRows } from '../data/derived-rows.ts';
import { rowMarkFault } from '../data/dropped-columns.ts';
import { pairRanks } from '../data/label-probability.ts';
import type { RefuseRow } from '../data/open-rows.ts';
import type { RowKind, RowOf } from '../data/rows.ts';
import { trainingFault } from '../data/training-fault.ts';
import { UnpairedSource } from '../methods/answers/unpaired-source.ts';
import { PairSource } from '../methods/pairs/pair-source.ts';
import { RankingSource } from '../methods/rankings/ranking-source.ts';
import type { MeasuredRows } from '../methods/registration/method-verb.ts';
import { JudgedSource } from '../methods/reward/judged-source.ts';
import { ExampleSource } from '../methods/supervised/example-source.ts';
import { methodVerbs } from '../methods/verbs.ts';
import { PromptSource } from '../rollouts/prompt-source.ts';
import type { AnySource, Rows, SourceOptions } from '../training/tokenised-source.ts';

/** Numbers of tokens of a row. */
export interface TokenLengths {
  /** null for a row without a prompt. */
  prompt: number | null;
  answers: readonly number[];
  ranks: readonly number[] | null;
}

export interface SourceRules extends SourceOptions {
  /** Tokens that a prompt must leave room for. */
  newTokens: number;
}

export interface RowsView<K extends RowKind = RowKind, Placed = unknown> {
  kind: K;
  refuse?: RefuseRow<RowOf[K]>;
  source(rows: Rows<RowOf[K]>, tokenizer: Tokenizer, rules: SourceRules): AnySource<Placed>;
  lengths(placed: Placed): TokenLengths;
  /** @throws Error where the rows cannot be trained on together */
  checkRows?(rows: DataRows<K>): Promise<void>;
}

/** Checks that the parts of a view agree on the kind of rows and on what they become. */
const view = <K extends RowKind, Placed>(parts: RowsView<K, Placed>): RowsView =>
  parts as unknown as RowsView;

const supervised = view({
  kind: 'supervised',
  refuse: trainingFault,
  source: (rows, tokenizer, rules) =>
    new ExampleSource(rows, tokenizer, { ...rules, rules: defaultScoring }),
  lengths: ({ example }) => {
    const scored = scoredCount(example);
    return { prompt: example.tokens.length - scored, answers: [scored], ranks: null };
  },
});

const pairs = view({
  kind: 'preference',
  refuse: trainingFault,
  source: (rows, tokenizer, rules) =>
    new PairSource(rows, tokenizer, { ...rules, betaField: null }),
  lengths: ({ pair: { prompt, chosen, rejected, labelProbability } }) => ({
    prompt: prompt.length,
    answers: [chosen.tokens.length, rejected.tokens.length],
    ranks: pairRanks(labelProbability),
  }),
});

const rankings = view({
  kind: 'ranking',
  refuse: trainingFault,
  source: (rows, tokenizer, rules) => new RankingSource(rows, tokenizer, rules),
  lengths: ({ ranking: { prompt, answers, ranks } }) => ({
    prompt: prompt.length,
    answers: answers.map(({ tokens }) => tokens.length),
    ranks,
  }),
});

const labelled = view({
  kind: 'unpaired',
  refuse: trainingFault,
  source: (rows, tokenizer, rules) => new UnpairedSource(rows, tokenizer, rules),
  lengths: ({ answer: { prompt, answer } }) => ({
    prompt: prompt.length,
    answers: [answer.tokens.length],
    ranks: null,
  }),
  checkRows: async (rows) => (await import('../methods/answers/run-kto.ts')).refuseOneLabel(rows),
});

const judged = view({
  kind: 'judged',
  refuse: trainingFault,
  source: (rows, tokenizer, rules) =>
    new JudgedSource(rows, tokenizer, {
      ...rules,
      reading: {
        ...{ readAt: 'last', padTokenId: tokenizer.padTokenId, stepSeparator: '\n' },
        ...{ margin: 'none', marginScale: 1 },
      },
    }),
  lengths: ({ judged: { prompt, answers, verdict } }) => ({
    prompt: prompt.length,
    answers: answers.map(({ tokens }) => tokens.length),
    ranks:
      verdict.kind === 'pair'
        ? pairRanks(verdict.probability)
        : verdict.kind === 'ranking'
          ? verdict.ranks
          : null,
  }),
  checkRows: async (rows) =>
    (await import('../methods/reward/run-reward.ts')).refuseUseless(rows, { margin: 'none' }),
});

const prompts = view({
  kind: 'prompt',
  // Other columns are the reward's.
  refuse: rowMarkFault,
  source: (rows, tokenizer, rules) => new PromptSource(rows, tokenizer, rules),
  lengths: ({ tokens }) => ({ prompt: tokens.length, answers: [], ranks: null }),
});

/** By the kind of rows that a method registers. */
const views: Readonly<Record<MeasuredRows, RowsView>> = {
  supervised,
  preference: pairs,
  rankings,
  'ranking pairs': rankings,
  unpaired: labelled,
  judged,
  prompt: prompts,
};

/**
 * The view of a verb.
 * @param rowsAreRankings whether the rows have several answers each, which `keel dpo` also takes
 */
export function viewOfVerb(verb: string, rowsAreRankings: boolean): RowsView {
  const rows = methodVerbs.find(({ name }) => name === verb)?.stage.rows ?? 'prompt';
  if (typeof rows === 'string') return views[rows];
  return rowsAreRankings ? rankings : pairs;
}
