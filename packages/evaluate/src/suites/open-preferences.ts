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
  if (spec.by === 'reward' && spec.reward === undefined) {
    throw new ConfigError([`${place}: by: reward needs the key reward: a spec or a folder`]);
  }
  const byReward = spec.by === 'reward' || (spec.by === 'auto' && spec.reward !== undefined);
  const items = preferenceRequests(docs, spec.chat ?? true);
  const ties = items.some(({ request }) => request.reference !== null);
  const reward = byReward ? specPath(spec.reward!, options.folder) : null;
  return {
    items,
    metrics: [
      shareOf('accuracy'),
      ...(ties ? [meanOf('ties_score', true)] : []),
      meanOf('margin', true),
    ],
    filters: ['none'],
    ...(reward !== null && { identity: fingerprint(reward) }),
    async run(asked, subject, { signal, done }) {
      await using opened = reward === null ? null : await openSpec(reward, options);
      const score = opened === null ? likelihoods(spec, subject) : rewards(opened);
      for (const item of asked as Item<PreferenceRequest>[]) {
        await breathe();
        signal.throwIfAborted();
        const ask = () => outcomeOf(item.request, score, signal);
        done(item, await atRow(item.doc, () => unlessTooLong(ask)));
      }
    },
  };
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

function likelihoods(spec: Spec, { model, role, reference }: Subject): Score {
  const base = spec.by === 'likelihood' ? null : reference;
  if (spec.by === 'implicit' && base === null) {
    throw new Error(
      `${spec.name}: the implicit reward compares an adapter with its base, and ${model.name} has no adapter. Pass --adapter, or set by: likelihood`,
    );
  }
  return async ({ prompt, rendering }, answers) => {
    const { prompt: context, answers: tokenised } = tokeniseAnswers(
      prompt,
      answers,
      model.tokenizer,
      rendering,
    );
    const score = (as: typeof role) =>
      scoreContinuations(
        model,
        as,
        context,
        tokenised.map(({ tokens }) => tokens),
        tokenised.map(({ scored }) => scored),
      );
    const { scores: own, truncated } = score(role);
    const from = base === null ? null : score(base).scores;
    const scores = own.map(({ logp, tokens }, at) => {
      const value = logp - (from?.[at]?.logp ?? 0);
      return spec.per_token ? value / tokens : value;
    });
    return { scores, truncated };
  };
}
