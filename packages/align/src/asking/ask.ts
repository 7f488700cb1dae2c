// `keel ask`: which comparisons of answers to have labelled next.
import { existsSync } from 'node:fs';
import type { LoadModelOptions } from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import type { RowReading } from '../config/row-options.ts';
import { renderingColumns } from '../data/rendering.ts';
import {
  type AnswerGroup,
  pairKey,
  readAnswerGroups,
  readHumanLabels,
} from '../feedback/read-label-pairs.ts';
import { writeFileAtomic } from '../files/atomic-write.ts';
import type { Judge } from '../judges/judge.ts';
import {
  type AskedBy,
  type Candidate,
  type ChoiceOptions,
  type ChosenComparison,
  chooseComparisons,
} from './choose-comparisons.ts';
import { openJudgeScorer } from './judge-scorer.ts';
import type { PolicyOptions } from './policy-options.ts';
import { openPolicyScorer } from './policy-scorer.ts';
import { openRewardScorer } from './reward-scorer.ts';
import { type PairScorer, sourceOf } from './scorer.ts';

/** Which comparisons are chosen, and from what. One of reward, judges and policy scores them. */
export interface AskOptions
  extends RowReading,
    Omit<ChoiceOptions, 'by'>,
    Pick<LoadModelOptions, 'precision' | 'device'> {
  /** Rows with several answers to a prompt, or with one each. */
  data: readonly string[];
  onBadRow: 'fail' | 'skip';
  /** Folders of reward models: one, or adapters of one base. */
  reward?: readonly string[] | null;
  /** Judges that compare; several passes of one are several judges. They are disposed of. */
  judges?: readonly Judge[] | null;
  /** Policies, and what their preference is measured by. */
  policy?: PolicyOptions | null;
  /** null: disagreement where there are several members, else uncertainty. */
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
  /** Members of the ensemble: heads of all reward models, judges, or policies. */
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
  /** Why answers or pairs could not be scored, with how often. */
  faults: Readonly<Record<string, number>>;
  /** Who set the priorities of the rows: "reward model's disagreement". */
  source: string;
  by: AskedBy;
  /** Mean value of all pairs, and of those that were chosen by it. */
  mean: { all: number; chosen: number | null };
}

/** What a job of choosing comparisons did, or would do. */
export interface AskResult {
  output: string;
  interrupted: boolean;
  /** Prompts, or pairs, that are scored. */
  done: number;
  /** null if it was interrupted, or a dry run. */
  summary: AskSummary | null;
}

/** What is told while pairs are chosen. */
export interface AskHooks {
  onPlan?(plan: AskPlan): void;
  /** @param progress of prompts, or of pairs for judges */
  onProgress?(progress: { done: number; total: number }): void;
  onNotice?(text: string): void;
  /** Stops the job; nothing is written then. */
  signal?: AbortSignal;
}

/**
 * Scores all pairs, and writes those to compare as rows `{prompt, completions: [a, b], priority,
 * priority_source, ask}`, which `keel label` and `keel data import` read too.
 * @throws DataError for invalid rows; CheckpointError, Error as the models are opened; Error if
 *   `output` is taken, or the members' disagreement is asked for and there is one
 */
export async function runAsk(
  options: AskOptions,
  { onPlan, onProgress, onNotice = () => {}, signal }: AskHooks = {},
): Promise<AskResult> {
  const { output, overwrite, dryRun = false } = options;
  await using scorer = await openScorer(options, onNotice);
  if (existsSync(output) && !overwrite) {
    throw new Error(`${output} exists. Pass --overwrite to replace it, or another --output`);
  }
  const known = await labelledPairs(options);
  const { groups: prompts, single, badRows } = await readAnswerGroups(options);
  if (badRows > 0) onNotice(`rows that cannot be scored are skipped: ${badRows}`);
  const { members, owner } = scorer;
  const by = options.by ?? (members > 1 ? 'disagreement' : 'uncertainty');
  if (by !== 'uncertainty' && members === 1) {
    throw new Error(
      `--by ${by} compares the members of an ensemble, and there is one. Name several adapters, a reward model with several heads, or several judges, or pass --by uncertainty`,
    );
  }
  const all = prompts.flatMap(({ answers }, prompt) => pairsOf(prompt, answers.length));
  const fresh = all.filter((pair) => !known.has(keyOf(prompts, pair)));
  onPlan?.({ prompts: prompts.length, pairs: fresh.length, members, by });
  const result = { output, interrupted: false, done: 0, summary: null };
  if (dryRun) return result;
  let done = 0;
  const scored = await scorer.score(prompts, fresh, {
    ...(signal && { signal }),
    onProgress: (progress) => {
      done = progress.done;
      onProgress?.(progress);
    },
  });
  if (scored === null) return { ...result, interrupted: true, done };
  const { values, faults } = scored;
  const valued = fresh.flatMap((candidate, at) => {
    const value = values[at]!;
    return value === null ? [] : [{ candidate, value }];
  });
  if (members > 1 && valued.length > 0 && valued.every(({ value }) => value.disagreement === 0))
    onNotice(
      `all ${members} members say the same of every pair, so nothing can be chosen by their disagreement. Several passes of a judge differ only if it samples: give it a temperature above 0 and no seed`,
    );
  const chosen = chooseComparisons(valued, { ...options, by });
  const source = sourceOf(owner, by);
  const lines = chosen.map((one) => `${exactJson(rowOf(prompts[one.prompt]!, one, source))}\n`);
  writeFileAtomic(output, lines.join(''));
  const informed = chosen.filter(({ why }) => why !== 'random');
  const mean = (list: readonly { value: ChosenComparison['value'] }[]): number =>
    list.reduce((sum, { value }) => sum + value[by], 0) / Math.max(1, list.length);
  return {
    ...result,
    done,
    summary: {
      ...{ rows: chosen.length, random: chosen.length - informed.length, single, faults, by },
      ...{ prompts: prompts.length, source },
      labelled: all.length - fresh.length,
      mean: { all: mean(valued), chosen: informed.length === 0 ? null : mean(informed) },
    },
  };
}

/** @throws Error unless exactly one of reward, judges and policy is given */
async function openScorer(
  { reward = null, judges = null, policy = null, precision, device }: AskOptions,
  onNotice: (text: string) => void,
): Promise<PairScorer> {
  if ([reward, judges, policy].filter((one) => one !== null).length !== 1)
    throw new Error('pairs are scored by one of --reward, --judge and --policy: name one of them');
  const loading = { ...(precision && { precision }), ...(device && { device }) };
  if (reward !== null) return openRewardScorer(reward, loading, onNotice);
  return policy === null ? openJudgeScorer(judges!) : openPolicyScorer(policy, loading);
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

/**
 * A row for whoever labels it. What the models think of it is apart, for later. Pairs that were
 * drawn at random have no priority: what is measured on them holds for all.
 */
function rowOf(
  { prompt, answers: all, rendering, extra }: AnswerGroup,
  { answers, why, value }: ChosenComparison,
  source: string,
): object {
  const round = (number: number): number => Number(number.toPrecision(6));
  const numbers = Object.entries(value).map(([name, number]) => [name, round(number)]);
  const { priority: _, priority_source: __, ...others } = extra;
  return {
    ...others,
    prompt,
    ...renderingColumns(rendering),
    completions: answers.map((at) => all[at]),
    ...(why !== 'random' && { priority: round(value[why]), priority_source: source }),
    ask: { why, ...Object.fromEntries(numbers) },
  };
}
