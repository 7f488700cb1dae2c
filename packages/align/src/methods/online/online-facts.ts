// What the plan of every online run shows besides model, data and steps.
import type { Tensor } from '@keel/torch';
import {
  noReference,
  type ReferenceChoice,
  referenceFact,
} from '../../reference/reference-fact.ts';
import type { Reward } from '../../rewards/reward.ts';
import type { PlanFact } from '../../training/run-plan.ts';
import type { AlarmAction } from './online-options.ts';
import type { RolloutOptions } from './worker-options.ts';

interface OnlineChoice
  extends ReferenceChoice,
    Pick<RolloutOptions, 'numGenerations' | 'maxNewTokens' | 'temperature'> {
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
  { reward, parameters }: { reward: Pick<Reward, 'name'>; parameters: Parameters },
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
    ...(options.gold === null ? [] : [goldFact(options.gold, options.onAlarm)]),
    ...(loss === undefined ? [] : [{ name: 'objective', text: loss, data: { name: loss } }]),
    ...(beta === undefined
      ? []
      : [beta === 0 ? noReference('beta is 0') : klReference(options, beta, parameters)]),
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
