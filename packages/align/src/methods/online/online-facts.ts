// What the plan of every online run shows besides model, data and steps.
import type { Tensor } from '@keel/torch';
import {
  noReference,
  type ReferenceChoice,
  referenceFact,
} from '../../reference/reference-fact.ts';
import type { Reward } from '../../rewards/reward.ts';
import type { PlanFact } from '../../training/run-plan.ts';
import type { RefreshOptions } from '../refresh/refresh-options.ts';
import type { AlarmAction } from './online-options.ts';
import type { RewardShapeOptions } from './reward-shape-options.ts';
import {
  type CorrectionOptions,
  correctionOf,
  type ServerOptions,
} from './rollout-server-options.ts';
import type { RolloutOptions } from './worker-options.ts';

interface OnlineChoice
  extends ReferenceChoice,
    Partial<RewardShapeOptions>,
    Partial<RefreshOptions>,
    Pick<RolloutOptions, 'numGenerations' | 'maxNewTokens' | 'temperature'>,
    Partial<CorrectionOptions>,
    Partial<Pick<ServerOptions, 'asyncRollouts'>> {
  reward: string;
  gold: string | null;
  onAlarm: AlarmAction;
  /** Absent: the method has one objective. */
  loss?: string;
  /** Absent: the method has no KL; null: that of its objective. */
  beta?: number | null;
}

type Parameters = ReadonlyMap<string, Tensor>;

/** @param policy with its reward, which is open */
export function onlineFacts(
  options: OnlineChoice,
  {
    reward,
    parameters,
    refreshed = null,
  }: {
    reward: Pick<Reward, 'name'>;
    parameters: Parameters;
    refreshed?: { parameters: Parameters } | null;
  },
): PlanFact[] {
  const { numGenerations, maxNewTokens, temperature, beta, loss } = options;
  const answers = numGenerations === 1 ? 'one answer' : `${numGenerations} answers`;
  const named = reward.name === options.reward ? '' : ` (${reward.name})`;
  return [
    {
      name: 'sampling',
      text: `${answers} to each prompt, at most ${maxNewTokens} tokens, temperature ${temperature}`,
      data: { generations: numGenerations, maxNewTokens, temperature },
    },
    {
      name: 'reward',
      text: `${options.reward}${named}`,
      data: { name: reward.name, spec: options.reward },
    },
    ...serverFact(options),
    ...shapeFact(options),
    ...refreshFact(options, refreshed),
    ...(options.gold === null ? [] : [goldFact(options.gold, options.onAlarm)]),
    ...(loss === undefined ? [] : [{ name: 'objective', text: loss, data: { name: loss } }]),
    ...(beta === undefined
      ? []
      : [beta === 0 ? noReference('beta is 0') : klReference(options, beta, parameters)]),
  ];
}

function serverFact({
  rollouts = null,
  rolloutCorrection = 'none',
  rolloutCorrectionMax = 3,
  asyncRollouts = 0,
}: OnlineChoice): PlanFact[] {
  if (rollouts === null) return [];
  const correction = correctionOf({ rollouts, rolloutCorrection, rolloutCorrectionMax });
  const corrected =
    correction === null
      ? 'losses are not corrected for the sampler'
      : `correction ${correction.mode}, at most ${correction.max}`;
  const data = { servers: rollouts, correction, ahead: asyncRollouts };
  const ahead = asyncRollouts === 0 ? '' : ', one batch ahead';
  const text = `sampled by ${rollouts.join(', ')}${ahead}; ${corrected}`;
  return [{ name: 'rollouts', text, data }];
}

function shapeFact({ rewardShape, referenceAnswers, rewardCentre }: OnlineChoice): PlanFact[] {
  if (rewardShape === undefined || rewardShape === 'none') return [];
  const against =
    rewardCentre == null
      ? `${referenceAnswers === 1 ? 'an answer' : `${referenceAnswers} answers`} of the model before training`
      : `the reward ${rewardCentre}`;
  const data = { shape: rewardShape, referenceAnswers, centre: rewardCentre ?? null };
  return [{ name: 'shape', text: `${rewardShape}, against ${against}`, data }];
}

function refreshFact(
  { refresh, refreshLabels, refreshLearningRate }: OnlineChoice,
  refreshed: { parameters: Parameters } | null,
): PlanFact[] {
  if (refresh == null || refreshed === null) return [];
  const count = [...refreshed.parameters.values()].reduce((sum, { size }) => sum + size, 0);
  return [
    {
      name: 'refresh',
      text: `the reward model is trained after every ${refresh} batches, on labels of ${refreshLabels}, learning rate ${refreshLearningRate}`,
      data: { batches: refresh, labels: refreshLabels, learningRate: refreshLearningRate },
      // Weights and both moments, in float32.
      checkpointBytes: 3 * 4 * count,
    },
  ];
}

const goldFact = (gold: string, onAlarm: AlarmAction): PlanFact => ({
  name: 'gold',
  text: `${gold}, on held-out answers; if the reward is gamed: ${actions[onAlarm]}`,
  data: { spec: gold, onAlarm },
});

const actions: Readonly<Record<AlarmAction, string>> = {
  warn: 'report it',
  checkpoint: 'save a checkpoint and continue',
  stop: 'stop',
};

function klReference(options: OnlineChoice, beta: number | null, parameters: Parameters): PlanFact {
  const found = referenceFact(options, parameters);
  if (beta === null) return found;
  return { ...found, text: `${found.text}; beta ${beta}`, data: { ...found.data, beta } };
}
