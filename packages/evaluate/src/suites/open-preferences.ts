// A suite's preference-accuracy: by a reward, or by a model's log-probabilities.
import { setImmediate as breathe } from 'node:timers/promises';
import { DataError } from '@keel/align';
import { ConfigError } from '@keel/align/config';
import type { Content } from '@keel/align/data';
import { tokeniseAnswers } from '@keel/align/internal';
import { openReward, type Reward, UnreadableInputError } from '@keel/align/rewards';
import type { Doc } from '../rows/docs.ts';
import { meanOf, shareOf } from '../tasks/metrics.ts';
import { preferenceValues, type ScoredAnswers, tiesScore } from '../tasks/preferences.ts';
import { scoreContinuations, unlessTooLong } from '../tasks/score-continuations.ts';
import type { Item, Outcome, Subject } from '../tasks/task.ts';
import { type Answers, type PreferenceRequest, preferenceRequests } from './preference-rows.ts';
import { fingerprint, specPath } from './spec-path.ts';
import type { SpecOf } from './suite-schema.ts';
import type { OpenTaskOptions, TaskParts } from './task-parts.ts';

type Spec = SpecOf<'preference-accuracy'>;

interface Scored {
  /** One for each answer. */
  scores: number[];
  /** Whether the prompt was cut, since it is longer than the model allows. */
  truncated: boolean;
}

/** Scores answers to a prompt. */
type Score = (about: Answers, answers: readonly Content[], signal: AbortSignal) => Promise<Scored>;

export async function openPreferences(
  spec: Spec,
  place: string,
  docs: readonly Doc[],
  options: OpenTaskOptions,
): Promise<TaskParts> {
  const by = scoredBy(spec, place, options);
  const items = preferenceRequests(docs, spec.chat ?? true);
  const ties = items.some(({ request }) => request.reference !== null);
  const reward = by === 'reward' ? specPath(spec.reward!, options.folder) : null;
  return {
    items,
    metrics: [
      shareOf('accuracy'),
      ...(ties ? [meanOf('ties_score', true)] : []),
      meanOf('margin', true),
    ],
    filters: ['none'],
    identity: reward === null ? by : fingerprint(reward),
    async run(asked, subject, { signal, done }) {
      await using opened = reward === null ? null : await openSpec(reward, options);
      if (by === 'implicit' && subject.reference === null) {
        for (const item of asked) done(item, withoutScore(item.request as PreferenceRequest));
        return;
      }
      const own = by === 'implicit' ? implicitRewards : likelihoods;
      const score = opened === null ? own(spec, subject) : rewards(opened);
      for (const item of asked as Item<PreferenceRequest>[]) {
        await breathe();
        signal.throwIfAborted();
        const ask = () => outcomeOf(item.request, score, signal);
        done(item, await atRow(item.doc, () => unlessTooLong(ask)));
      }
    },
  };
}

/**
 * One kind of score for all entries, since differences between two kinds would mean nothing.
 * @throws ConfigError for a kind that is not available
 */
function scoredBy(
  { by, reward }: Spec,
  place: string,
  { hasReference }: OpenTaskOptions,
): Exclude<Spec['by'], 'auto'> {
  if (by === 'reward' && reward === undefined) {
    throw new ConfigError([`${place}: by: reward needs the key reward: a spec or a folder`]);
  }
  if (by === 'implicit' && !hasReference) {
    throw new ConfigError([
      `${place}: by: implicit compares an adapter with the model that it started from, and no adapter is evaluated. Pass --adapter, or a --run that trained an adapter, or set by: likelihood`,
    ]);
  }
  if (by !== 'auto') return by;
  return reward !== undefined ? 'reward' : hasReference ? 'implicit' : 'likelihood';
}

const openSpec = (reward: string, { precision, device, unsafeCode }: OpenTaskOptions) =>
  openReward(reward, { precision, device: device as 'auto' | 'cpu', unsafeCode });

async function atRow(doc: Doc, body: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof UnreadableInputError)) throw error;
    throw new DataError({ ...doc.place, found: error.message }, { cause: error });
  }
}

async function outcomeOf(
  { answers, reference, group }: PreferenceRequest,
  score: Score,
  signal: AbortSignal,
): Promise<Outcome> {
  const { scores, truncated } = await scoresOf(answers, score, signal);
  const values = preferenceValues(scores);
  const other = reference === null ? null : await scoresOf(reference, score, signal);
  const ref = other?.scores ?? null;
  const lists = [answers, ...(reference === null ? [] : [reference])];
  return {
    values:
      ref === null
        ? { ...values, ties_score: null }
        : { accuracy: null, margin: null, ties_score: tiesScore(ref, scores) },
    target: 'chosen',
    arguments: lists.map(({ prompt, chosen, rejected }) => [prompt, chosen, rejected]),
    responses: [scores, ...(ref === null ? [] : [ref])].map(({ chosen, rejected }) => [
      [...chosen],
      [...rejected],
    ]),
    filtered: { none: [...scores.chosen, ...scores.rejected] },
    ...(group !== null && { group }),
    ...((truncated || other?.truncated) && { truncated: true }),
  };
}

/** Of a model that has no implicit reward. */
const withoutScore = ({ answers, group }: PreferenceRequest): Outcome => ({
  ...{ values: {}, target: 'chosen', responses: [], filtered: { none: [] } },
  arguments: [[answers.prompt, answers.chosen, answers.rejected]],
  skipped:
    'an implicit reward compares an adapter with the model that it started from, and this is not such an adapter',
  ...(group !== null && { group }),
});

async function scoresOf(
  about: Answers,
  score: Score,
  signal: AbortSignal,
): Promise<{ scores: ScoredAnswers; truncated: boolean }> {
  const { chosen, rejected } = about;
  const { scores, truncated } = await score(about, [...chosen, ...rejected], signal);
  const [good, bad] = [scores.slice(0, chosen.length), scores.slice(chosen.length)];
  return { scores: { chosen: good, rejected: bad }, truncated };
}

/** All answers to a prompt in one call, and nothing else. */
const rewards =
  (reward: Reward): Score =>
  async ({ prompt, rendering, extra }, answers, signal) => {
    const inputs = answers.map((completion) => ({
      ...{ prompt, completion, extra },
      ...(rendering && { rendering }),
    }));
    const outcomes = await reward.score(inputs, signal);
    const scores = outcomes.map(({ score }) => {
      if (score !== null) return score;
      throw new UnreadableInputError(0, `the reward ${reward.name} gave no score for an answer`);
    });
    return { scores, truncated: false };
  };

/** The sum of an answer's log-probabilities, or their mean with `per_token`. */
function likelihoods({ per_token: perToken }: Spec, { model, role }: Subject): Score {
  return async ({ prompt, rendering }, answers) => {
    const asked = tokeniseAnswers(prompt, answers, model.tokenizer, rendering);
    const { scores, truncated } = scoreContinuations(
      model,
      role,
      asked.prompt,
      asked.answers.map(({ tokens }) => tokens),
      asked.answers.map(({ scored }) => scored),
    );
    return {
      scores: scores.map(({ logp, tokens }) => (perToken ? logp / tokens : logp)),
      truncated,
    };
  };
}

/**
 * Log-probabilities minus those of the reference: the implicit reward of DPO (Rafailov et al. 2023,
 * arXiv:2305.18290) divided by beta.
 */
function implicitRewards(spec: Spec, subject: Subject): Score {
  const own = likelihoods(spec, subject);
  const from = likelihoods(spec, { ...subject, role: subject.reference! });
  return async (...asked) => {
    const [after, before] = [await own(...asked), await from(...asked)];
    return {
      scores: after.scores.map((value, at) => value - before.scores[at]!),
      truncated: after.truncated || before.truncated,
    };
  };
}
