// Compares answers before and after training: what changed in them, what explains the rise of the
// reward, and whether what the reward stands for rose with it.
import {
  type Correlation,
  type ExplainedChange,
  type PairedEffect,
  pairedEffect,
  pearson,
} from '@keel/statistics';
import {
  type AuditedPrompt,
  type AuditedScore,
  promptScores,
  type Side,
  sides,
} from './audited-prompt.ts';
import { type FeatureChange, featureChanges } from './feature-changes.ts';
import { type AnswerFeature, answerFeatures } from './features/answer-features.ts';
import { type Gainers, gainersOf } from './gainers.ts';
import { explainReward, mechanismsOf } from './mechanisms.ts';
import { trendOf, type Verdict, verdictOf } from './verdict.ts';

/** A score on both sides. */
export interface ScoreChange extends PairedEffect {
  /** Prompts of which an answer has no score. They are not in its numbers. */
  unscored: number;
}

export interface AnswerAudit {
  prompts: number;
  answers: Record<Side, number>;
  features: readonly FeatureChange[];
  /** Correlation of the reward with each feature on each side; null without rewards. */
  correlations: readonly Record<Side, Correlation | null>[] | null;
  reward: ScoreChange | null;
  gold: ScoreChange | null;
  /** Of the members of an ensemble of rewards; null for other rewards. */
  deviation: ScoreChange | null;
  /** Of the changes of reward and gold, prompt by prompt; null where either is missing. */
  agreement: Correlation | null;
  /** Of the reward's change by those of the features that changed. */
  explained: ExplainedChange | null;
  verdict: Verdict;
  /** null without rewards */
  gainers: Gainers | null;
}

export interface AuditSettings {
  features?: readonly AnswerFeature[];
  goldConfidence?: number;
}

/**
 * Audits answers to the same prompts. Prompts are the units of all intervals: several answers to
 * one count as their mean.
 * @param features what is measured (default: all of `answerFeatures`)
 * @param goldConfidence of the intervals that tell whether gold followed (default: 0.95)
 * @throws RangeError without prompts
 */
export function auditAnswers(
  prompts: readonly AuditedPrompt[],
  { features = answerFeatures, goldConfidence = 0.95 }: AuditSettings = {},
): AnswerAudit {
  if (prompts.length === 0) throw new RangeError('an audit needs at least one prompt');
  const changes = featureChanges(prompts, features);
  const rewards = scoresOf(prompts, 'reward');
  const golds = scoresOf(prompts, 'gold', goldConfidence);
  const [reward, gold] = [rewards.change, golds.change];
  const scored = rewards.changes.flatMap((value, at) => (value === null ? [] : [at]));
  const rewardChanges = { prompts: scored, values: scored.map((at) => rewards.changes[at]!) };
  const explained = reward === null ? null : explainReward(changes, rewardChanges);
  const mechanisms =
    explained === null || trendOf(reward) !== 'up'
      ? []
      : mechanismsOf(changes, rewardChanges, explained);
  const both = scored.filter((at) => golds.changes[at] !== null);
  return {
    prompts: prompts.length,
    answers: {
      before: prompts.reduce((sum, { before }) => sum + before.length, 0),
      after: prompts.reduce((sum, { after }) => sum + after.length, 0),
    },
    features: changes,
    correlations:
      reward === null
        ? null
        : changes.map(({ values }) => correlationsOf(values, rewards.values, scored)),
    ...{ reward, gold, explained },
    deviation: scoresOf(prompts, 'deviation').change,
    agreement:
      gold === null
        ? null
        : pearson(
            both.map((at) => rewards.changes[at]!),
            both.map((at) => golds.changes[at]!),
          ),
    verdict: verdictOf(reward, gold, mechanisms),
    gainers: reward === null ? null : gainersOf(prompts, changes, rewards.changes, golds.changes),
  };
}

interface Scores {
  values: Record<Side, (number | null)[]>;
  /** [P] */
  changes: (number | null)[];
  /** null if no prompt has the score on both sides */
  change: ScoreChange | null;
}

function scoresOf(
  prompts: readonly AuditedPrompt[],
  score: AuditedScore,
  confidence?: number,
): Scores {
  const [before, after] = sides.map((side) => promptScores(prompts, side, score));
  const changes = after!.map((value, at) => {
    const was = before![at]!;
    return value === null || was === null ? null : value - was;
  });
  const known = changes.flatMap((change, at) => (change === null ? [] : [at]));
  const of = (values: readonly (number | null)[]) => known.map((at) => values[at]!);
  return {
    ...{ values: { before: before!, after: after! }, changes },
    change:
      known.length === 0
        ? null
        : {
            ...pairedEffect(of(before!), of(after!), confidence),
            unscored: prompts.length - known.length,
          },
  };
}

function correlationsOf(
  features: Record<Side, number[]>,
  scores: Record<Side, (number | null)[]>,
  scored: readonly number[],
): Record<Side, Correlation | null> {
  const of = (side: Side): Correlation | null =>
    pearson(
      scored.map((at) => features[side][at]!),
      scored.map((at) => scores[side][at]!),
    );
  return { before: of('before'), after: of('after') };
}
