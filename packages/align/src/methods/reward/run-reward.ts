// A whole run of a reward model, from options to final/: `keel reward`, and the library's
// `trainReward`.

import { type Proportion, type RewardFindings, rewardFindings } from '@keel/statistics';
import { type Tensor, tidy } from '@keel/torch';
import { readAnswers, targetMargin } from '../../batching/tokenise-judged.ts';
import { rowsOf } from '../../config/row-options.ts';
import type { DataRows } from '../../data/derived-rows.ts';
import { leftOutOfPrompt } from '../../data/dropped-columns.ts';
import { isSoft } from '../../data/label-probability.ts';
import { openOneOf, type SourceOf } from '../../data/open-either.ts';
import { openRows } from '../../data/open-rows.ts';
import type { JudgedRow } from '../../data/rows.ts';
import { trainingFault } from '../../data/training-fault.ts';
import { measureNormalisation } from '../../rewards/normalisation.ts';
import { rewardsOf } from '../../rewards/reward-record.ts';
import { type AnsweredPrompt, scoreAnswers } from '../../rewards/score-answers.ts';
import { saveRewardEvaluation } from '../../runs/reward-evaluation.ts';
import { RunLabels } from '../../training/label-fact.ts';
import {
  type PreparedRun,
  type RunHooks,
  type RunResult,
  runTraining,
  type TrainingKind,
} from '../../training/run-training.ts';
import { fromProgram, type ProgramOptions } from '../registration/from-program.ts';
import { JudgedSource } from './judged-source.ts';
import { headShare, type RewardOptions, rewardDefinition } from './reward-options.ts';
import { loadRewardPolicy, otherReadingNotice, type RewardPolicy } from './reward-policy.ts';
import { RewardTask } from './reward-task.ts';
import { byHead, scoredPairs } from './reward-totals.ts';

/** Options of a run of a reward model: only `data` and `output` have no default. */
export type TrainRewardOptions = ProgramOptions<RewardOptions>;

/**
 * Trains a reward model on pairs, rankings or the steps of answers: the library's form of
 * `keel reward`.
 * @throws ConfigError for invalid options, Error as {@link runReward} does
 */
export async function trainReward(
  options: TrainRewardOptions,
  hooks: RunHooks = {},
): Promise<RunResult> {
  return fromProgram(rewardDefinition, runReward, options, hooks);
}

/**
 * Trains a reward model from complete options.
 * @throws DataError, CheckpointError, NonFiniteLossError, Error as {@link runTraining} does
 */
export function runReward(options: RewardOptions, hooks: RunHooks = {}): Promise<RunResult> {
  return runTraining(rewards(new RunLabels()), options, hooks);
}

type Prepared = PreparedRun<RewardOptions, 'judged', JudgedSource, RewardPolicy>;

const rewards = (
  labels: RunLabels,
): TrainingKind<RewardOptions, 'judged', JudgedSource, RewardPolicy, RewardTask> => ({
  definition: rewardDefinition,
  rowKind: 'judged',
  open(spec, options) {
    const refuse = labels.counting<JudgedRow>(
      (row) => refuseSoftLabel(row, options) ?? refuseSteps(row, options) ?? trainingFault(row),
    );
    return openRows(spec, { ...rowsOf(options), kind: 'judged', refuse });
  },
  load: loadRewardPolicy,
  checkRows: refuseUseless,
  source(rows, tokenizer, how, { margin, marginScale, readAt, stepSeparator }, { record }) {
    const padTokenId = record.pad_token_id;
    const reading = { margin, marginScale, readAt, padTokenId, stepSeparator };
    return new JudgedSource(rows, tokenizer, { ...how, reading });
  },
  facts: ({ options, policy: { model, role }, data }) => {
    const { rankingLoss, normalise, lengthHead } = options;
    const heads = model.scoreHead(role).dim(0);
    const which = lengthHead ? 'a quality and a length head' : shownHeads(heads);
    const text = `${which}, rankings by ${rankingLoss}, normalised by ${normalise}`;
    const reward = { name: 'reward', text, data: { heads, rankingLoss, normalise, lengthHead } };
    return [reward, ...labels.facts(data.rows.length)];
  },
  async task(prepared) {
    const { options, policy, data, source, evaluation, passes, signal } = prepared;
    const { model, role, record } = policy;
    if (!signal?.aborted) refuseOneStepLabel(source);
    const [first] = await data.rows.readMany([0]);
    record.scores = 'labels' in first! ? 'steps' : 'answers';
    const heads = model.scoreHead(role).dim(0);
    await addNormaliseData(prepared);
    return new RewardTask({
      ...{ model, role, source, evaluation, ...passes },
      batchSize: options.batchSize,
      objective: { rankingLoss: options.rankingLoss, centring: options.centerRewardsCoefficient },
      lmWeight: options.lmWeight,
      ...(options.lengthHead && {
        lengthHead: {
          correlation: options.lengthWeight,
          orthogonality: options.orthogonalityWeight,
        },
      }),
      subsets: { seed: options.seed, share: headShare(options, heads) },
    });
  },
  async finish(prepared, task) {
    const { options, policy, notice, path } = prepared;
    const { model, role, record } = policy;
    const other = options.lora ? otherReadingNotice(model, record) : null;
    if (other !== null) notice(other);
    // A process reward is a log-probability, which has a natural zero.
    if (options.normalise !== 'none' && record.scores === 'answers') {
      const prompts = await referenceSet(prepared);
      const all = (await scoreAnswers(model, role, prompts)).flat(); // [N][K]
      const found = options.lengthHead ? ofQuality(all, model.scoreHead(role)) : all;
      const scale = options.normalise === 'mean_and_deviation';
      record.normalisation = measureNormalisation(byHead(found), { scale });
      const means = record.normalisation.heads.map(({ mean }) => mean.toFixed(3));
      notice(
        `rewards are normalised by ${found.length} answers of ${options.normaliseData?.join(', ') ?? 'the training rows'} (mean ${means.join(', ')})`,
      );
    }
    // The last evaluation is of other weights than the best ones.
    if (task.evaluated === null || prepared.resultStep != null) await task.evaluate();
    const pairs = scoredPairs(
      task.evaluated ?? { comparisons: [], steps: [], answers: [] },
      (heads) => rewardsOf(heads, record).rewards,
    );
    if (pairs.length === 0) return {};
    const findings = rewardFindings(pairs);
    saveRewardEvaluation(path, findings);
    notice(findingsSentence(findings));
    return { reward: findings };
  },
  headlines: [
    {
      label: 'Held-out accuracy',
      metric: 'eval_accuracy',
      count: 'eval_comparisons',
      unit: 'share',
      better: 'higher',
    },
    { label: 'Held-out reward margin', metric: 'eval_margin', unit: 'number', better: 'higher' },
    { label: 'Held-out loss', metric: 'eval_loss', unit: 'number', better: 'lower' },
  ],
});

/** The scores of the quality head with the norm 1, as it is saved. [N][1] */
const ofQuality = (scores: readonly number[][], head: Tensor): number[][] => {
  const norm = tidy(() => head.detach().select(0, 0).square().sum().sqrt().item());
  return scores.map(([quality]) => [quality! / norm]);
};

const shownHeads = (heads: number): string => (heads === 1 ? 'one head' : `${heads} heads`);

/** Why a row with step labels cannot be trained on with a length head; null if it can. */
function refuseSteps(
  row: JudgedRow,
  { lengthHead }: Pick<RewardOptions, 'lengthHead'>,
): ReturnType<typeof trainingFault> {
  if (!lengthHead || !('labels' in row)) return null;
  const expected = 'a pair or a ranking for --length-head: a step has no length of its own';
  return { field: 'labels', expected, found: 'step labels', advice: 'Omit --length-head' };
}

/** Why a pair with an uncertain label cannot be trained on with these options; null if it can. */
function refuseSoftLabel(
  row: JudgedRow,
  options: Pick<RewardOptions, 'margin' | 'lmWeight'>,
): ReturnType<typeof trainingFault> {
  if (!('chosen' in row) || !isSoft(row.label_probability)) return null;
  const fault = { field: 'label_probability', found: String(row.label_probability) };
  if (targetMargin(row, options) !== 0) {
    const advice =
      'A margin says how much better an answer is that is certainly better. Pass --margin none, or remove one of the two fields';
    return { ...fault, expected: `no probability next to the margin of the pair`, advice };
  }
  if (options.lmWeight === 0) return null;
  const advice = 'Pass --lm-weight 0, or remove the field';
  return { ...fault, expected: 'a certain label for --lm-weight, which imitates chosen', advice };
}

/**
 * @throws Error if `--margin scores` finds no scores, or if all steps have the same label and no
 *   row compares answers
 */
export async function refuseUseless(
  rows: DataRows<'judged'>,
  { margin }: Pick<RewardOptions, 'margin'>,
): Promise<void> {
  const labels = new Set<boolean>();
  let compares = false;
  let hasMargins = margin !== 'scores';
  for await (const row of rows.iterate()) {
    if ('labels' in row) for (const label of row.labels) labels.add(label);
    else {
      compares = true;
      hasMargins ||= !('ranks' in row) && row.score_chosen != null && row.score_rejected != null;
    }
    if (hasMargins && (compares || labels.size > 1)) return;
  }
  const place = `${rows.length} rows of ${rows.files.join(', ')}`;
  if (!hasMargins) {
    throw new Error(
      `--margin scores: none of the ${place} has both "score_chosen" and "score_rejected", so every margin would be 0. ` +
        'Rename the fields of the scores, or pass --margin row or none',
    );
  }
  const [label] = labels;
  throw new Error(`--data: all steps of the ${place} have the label ${label}. ${bothLabels}`);
}

const bothLabels = 'A process reward needs right and wrong steps: add rows with the other label';

/**
 * Checks again after the rows are tokenised, since some may have been skipped. A source that is too
 * large to be read before the run has no labels yet, and is not refused.
 */
function refuseOneStepLabel(source: JudgedSource): void {
  const { stepLabels, hasComparisons, usable, length, leftOut } = source;
  if (hasComparisons || stepLabels.size !== 1) return;
  const [label] = stepLabels;
  throw new Error(
    `--data: all steps of the usable rows have the label ${label} (${usable} of ${length} rows, ${leftOut} skipped). ${bothLabels}`,
  );
}

const percent = ({ value, interval: [low, high] }: Proportion): string =>
  `${(100 * value).toFixed(1)}% (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;

const findingsSentence = ({ pairs, accuracy, longerWins, calibration }: RewardFindings): string =>
  `accuracy ${percent(accuracy)} on ${pairs} held-out pairs; the rule "the longer answer wins" has ${percent(longerWins)}; calibration error ${calibration.error.value.toFixed(3)} (${calibration.errorByChance.value.toFixed(3)} by chance)`;

const openReferenceSet = (options: RewardOptions): Promise<SourceOf<'judged' | 'completion'>> =>
  openOneOf<'judged' | 'completion'>(
    { ...rowsOf(options), data: options.normaliseData!, refuse: leftOutOfPrompt },
    ['judged', 'completion'],
  );

/** A resumed run must have the same reference set. */
async function addNormaliseData({ options, addInput }: Prepared): Promise<void> {
  if (options.normaliseData === null) return;
  await using rows = await openReferenceSet(options);
  await addInput('--normalise-data', await rows.fileHashes());
}

/** Tokenised answers by which rewards are normalised. */
async function referenceSet({ options, policy, source }: Prepared): Promise<AnsweredPrompt[]> {
  const { normaliseRows: most, maxLength } = options;
  const { model, record } = policy;
  if (options.normaliseData === null) {
    const placed = await source.read(evenly(source.length, most));
    if (placed.length === 0) source.refuseNothingLeft();
    return placed.map(({ judged }) => judged);
  }
  await using rows = await openReferenceSet(options);
  const reading = {
    readAt: record.read_at,
    padTokenId: record.pad_token_id,
    stepSeparator: record.step_separator,
  };
  const found = (await rows.readMany(evenly(rows.length, most))).flatMap(
    (row): AnsweredPrompt[] => {
      if ('labels' in row) return [];
      const completions =
        'completion' in row
          ? [row.completion]
          : 'ranks' in row
            ? row.completions
            : [row.chosen, row.rejected];
      const judged = readAnswers({ ...row, completions }, model.tokenizer, reading);
      const limit = maxLength ?? model.decoder.config.maxPositions;
      const fits = judged.answers.every(
        ({ tokens, reads }) => reads.length > 0 && judged.prompt.length + tokens.length <= limit,
      );
      return fits ? [judged] : [];
    },
  );
  if (found.length > 0) return found;
  throw new Error(
    `--normalise-data ${options.normaliseData.join(', ')}: no answer in it fits within --max-length ${maxLength}`,
  );
}

/** Places of at most `most` of so many rows. */
const evenly = (length: number, most: number): number[] =>
  Array.from({ length: Math.min(length, most) }, (_, at) =>
    Math.floor((at * length) / Math.min(length, most)),
  );
