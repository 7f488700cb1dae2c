// `keel ask`: which comparisons of answers to have labelled next.
import { existsSync } from 'node:fs';
import type { LoadModelOptions } from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import type { RowReading } from '../config/row-options.ts';
import { runResult } from '../config/run-result.ts';
import { renderingColumns } from '../data/rendering.ts';
import {
  type AnswerGroup,
  pairKey,
  readAnswerGroups,
  readHumanLabels,
} from '../feedback/read-label-pairs.ts';
import { writeFileAtomic } from '../files/atomic-write.ts';
import { RewardModel } from '../rewards/reward-model.ts';
import { UnscorableRowError } from '../rewards/reward-row.ts';
import {
  type AskedBy,
  type Candidate,
  type ChoiceOptions,
  type ChosenComparison,
  chooseComparisons,
} from './choose-comparisons.ts';

/** Which comparisons are chosen, and from what. */
export interface AskOptions
  extends RowReading,
    Omit<ChoiceOptions, 'by'>,
    Pick<LoadModelOptions, 'precision' | 'device'> {
  /** Rows with several answers to a prompt, or with one each. */
  data: readonly string[];
  onBadRow: 'fail' | 'skip';
  /** Folders of reward models: one, or adapters of one base. */
  reward: readonly string[];
  /** null: disagreement where there are several heads, else uncertainty. */
  by: AskedBy | null;
  /** Pairs that have a label already. */
  labelled: readonly string[] | null;
  output: string;
  overwrite: boolean;
  /** Check everything, and write nothing. */
  dryRun?: boolean;
}

/** What a job of choosing comparisons would do. */
export interface AskPlan {
  prompts: number;
  /** Pairs of different answers without a label. */
  pairs: number;
  /** Members of the ensemble: heads of all models. */
  members: number;
  by: AskedBy;
}

/** What was chosen. */
export interface AskSummary {
  rows: number;
  random: number;
  prompts: number;
  /** Prompts without two different answers. */
  single: number;
  /** Pairs that have a label already. */
  labelled: number;
  /** Answers that a reward model cannot read. */
  unreadable: number;
  by: AskedBy;
  /** Mean value of all pairs, and of those that were chosen by it. */
  mean: { all: number; chosen: number | null };
}

/** What a job of choosing comparisons did, or would do. */
export interface AskResult {
  output: string;
  interrupted: boolean;
  /** Prompts whose answers are scored. */
  done: number;
  /** null if it was interrupted, or a dry run. */
  summary: AskSummary | null;
}

/** What is told while pairs are chosen. */
export interface AskHooks {
  onPlan?(plan: AskPlan): void;
  onProgress?(progress: { done: number; total: number }): void;
  onNotice?(text: string): void;
  /** Stops the job; nothing is written then. */
  signal?: AbortSignal;
}

/**
 * Scores all answers, and writes the pairs to compare as rows `{prompt, completions: [a, b], ask}`,
 * which `keel label` reads too.
 * @throws DataError for invalid rows; CheckpointError, Error as `RewardModel.open`; Error if
 *   `output` is taken, or the members' disagreement is asked for and there is one
 */
export async function runAsk(
  options: AskOptions,
  { onPlan, onProgress, onNotice, signal }: AskHooks = {},
): Promise<AskResult> {
  const { output, overwrite, dryRun = false } = options;
  if (existsSync(output) && !overwrite) {
    throw new Error(`${output} exists. Pass --overwrite to replace it, or another --output`);
  }
  const known = await labelledPairs(options);
  const { groups: prompts, single } = await readAnswerGroups(options);
  using model = await RewardModel.open(options.reward.map(runResult), {
    ...(options.precision && { precision: options.precision }),
    ...(options.device && { device: options.device }),
    emptyAnswers: 'score',
    onLost: (fields) =>
      onNotice?.(`the reward model's chat template leaves out ${fields.join(', ')} of answers`),
  });
  const by = options.by ?? (model.heads > 1 ? 'disagreement' : 'uncertainty');
  if (by !== 'uncertainty' && model.heads === 1) {
    throw new Error(
      `--by ${by} compares the members of an ensemble, and there is one. Name several adapters as --reward, a model with several heads, or pass --by uncertainty`,
    );
  }
  const all = prompts.flatMap(({ answers }, prompt) => pairsOf(prompt, answers.length));
  const fresh = all.filter((pair) => !known.has(keyOf(prompts, pair)));
  onPlan?.({ prompts: prompts.length, pairs: fresh.length, members: model.heads, by });
  const result = { output, interrupted: false, done: 0, summary: null };
  if (dryRun) return result;
  const rewards: number[][][] = [];
  let unreadable = 0;
  for (const [done, asked] of prompts.entries()) {
    if (signal?.aborted) return { ...result, interrupted: true, done };
    onProgress?.({ done, total: prompts.length });
    const found = await scoresOf(model, asked, signal);
    unreadable += found.filter((heads) => heads === null).length;
    rewards.push(found.map((heads) => heads ?? []));
  }
  onProgress?.({ done: prompts.length, total: prompts.length });
  const candidates = fresh.filter(({ prompt, answers }) =>
    answers.every((at) => rewards[prompt]![at]!.length > 0),
  );
  const chosen = chooseComparisons(candidates, rewards, { ...options, by });
  const lines = chosen.map((one) => `${exactJson(rowOf(prompts[one.prompt]!, one))}\n`);
  writeFileAtomic(output, lines.join(''));
  const every = chooseComparisons(candidates, rewards, {
    ...{ by, count: candidates.length, randomShare: 1, seed: options.seed },
    perPrompt: Number.POSITIVE_INFINITY,
  });
  const informed = chosen.filter(({ why }) => why !== 'random');
  const mean = (values: readonly ChosenComparison[]): number =>
    values.reduce((sum, { value }) => sum + value[by], 0) / Math.max(1, values.length);
  return {
    ...result,
    done: prompts.length,
    summary: {
      ...{ rows: chosen.length, random: chosen.length - informed.length, single, unreadable, by },
      prompts: prompts.length,
      labelled: all.length - fresh.length,
      mean: { all: mean(every), chosen: informed.length === 0 ? null : mean(informed) },
    },
  };
}

/** Keys of the pairs that have a label. */
async function labelledPairs({ labelled, ...reading }: AskOptions): Promise<Set<string>> {
  if (labelled === null) return new Set();
  // --columns names columns of --data.
  const { labels } = await readHumanLabels({ ...reading, columns: null, data: labelled });
  return new Set(labels.keys());
}

const keyOf = (
  prompts: readonly AnswerGroup[],
  { prompt, answers: [one, other] }: Candidate,
): string => {
  const { answers, ...group } = prompts[prompt]!;
  return pairKey({ ...group, answers: [answers[one]!, answers[other]!] });
};

const pairsOf = (prompt: number, answers: number): Candidate[] =>
  Array.from({ length: answers }, (_, one) => one).flatMap((one) =>
    Array.from({ length: answers - one - 1 }, (_, more): Candidate => {
      return { prompt, answers: [one, one + 1 + more] };
    }),
  );

/** By answer, its rewards by head; null for an answer that cannot be read. */
async function scoresOf(
  model: RewardModel,
  { prompt, answers, rendering }: AnswerGroup,
  signal: AbortSignal | undefined,
): Promise<(number[] | null)[]> {
  const rows = answers.map((completion) => ({
    ...{ prompt, completion },
    ...(rendering && { rendering }),
  }));
  const readable = rows.filter((row) => {
    try {
      model.read([row]);
      return true;
    } catch (error) {
      if (error instanceof UnscorableRowError) return false;
      throw error;
    }
  });
  const scores = await model.scoreRows(readable, signal);
  const byRow = new Map(readable.map((row, at) => [row, scores[at]!.heads]));
  return rows.map((row) => byRow.get(row) ?? null);
}

/** A row for whoever labels it. What the model thinks of it is apart, for later. */
function rowOf(
  { prompt, answers: all, rendering, extra }: AnswerGroup,
  { answers, why, value }: ChosenComparison,
): object {
  const round = (number: number): number => Number(number.toPrecision(6));
  const numbers = Object.entries(value).map(([name, number]) => [name, round(number)]);
  return {
    ...extra,
    prompt,
    ...renderingColumns(rendering),
    completions: answers.map((at) => all[at]),
    ask: { why, ...Object.fromEntries(numbers) },
  };
}
