// Options of the online verbs that contradict each other.
import {
  type ConstraintOptions,
  checkConstraint,
  isConstrained,
} from '../../config/constraint-options.ts';
import { checkTraining } from '../../config/training-options.ts';
import { checkRefresh, type RefreshOptions } from '../refresh/refresh-options.ts';
import type { KlPlace } from './kl-options.ts';
import type { AlarmAction } from './online-options.ts';
import { checkReferenceSync } from './reference-sync-options.ts';
import { checkRewardShape, type RewardShapeOptions } from './reward-shape-options.ts';
import { checkServers, type ServerOptions } from './rollout-server-options.ts';

export type Checked = Parameters<typeof checkTraining>[0] & {
  value: {
    lora: boolean;
    adapter: string | null;
    maxLength: number | null;
    maxNewTokens: number;
    minNewTokens: number;
    beta: number;
    klIn?: KlPlace;
    klEstimator?: string;
    klCorrection?: boolean;
    klController?: string;
    numGenerations: number;
    gold: string | null;
    onAlarm: AlarmAction;
    evalData: string[] | null;
    minibatches?: number;
    clipRange?: number;
    clipRangeHigh?: number | null;
    dualClip?: number | null;
    entropyBonus?: number;
    referenceSyncSteps?: number | null;
    referenceMix?: number;
    rewardScale?: string;
  } & ConstraintOptions &
    ServerOptions &
    Partial<RewardShapeOptions> &
    Partial<RefreshOptions>;
};

/** The units that the optimizer steps on a rollout batch train on. */
export interface UpdateUnits {
  /** Maximum per rollout batch. */
  most: number;
  /** Name in messages, such as "answers". */
  name: string;
}

/**
 * For `.check(...)`: adds an issue for options of an online verb that contradict each other.
 * @param units what `--minibatches` divides (default: all answers)
 * @param how `needsLora`: the verb itself refuses full fine-tuning
 */
export function checkOnline(
  context: Checked,
  units: UpdateUnits = answersOf(context.value),
  { needsLora = false } = {},
): void {
  checkTraining(context);
  const { value, issues } = context;
  const add = (name: string, message: string): void => {
    issues.push({ code: 'custom', path: [name], message, input: value });
  };
  const lora = value.lora || value.adapter !== null;
  if (value.maxLength !== null && value.maxNewTokens >= value.maxLength) {
    add(
      'maxNewTokens',
      `expected fewer tokens than --max-length (${value.maxLength}), which includes the prompt, found ${value.maxNewTokens}`,
    );
  }
  if (value.gold !== null && value.evalData === null) {
    add('gold', 'scores held-out answers, and there are none. Pass --eval-data too');
  }
  if (value.gold === null && value.onAlarm !== 'warn') {
    add('onAlarm', 'has no effect without --gold: nothing tells whether the reward was gamed');
  }
  if (value.minNewTokens > value.maxNewTokens) {
    add(
      'minNewTokens',
      `expected at most --max-new-tokens (${value.maxNewTokens}), found ${value.minNewTokens}`,
    );
  }
  if (!lora && !needsLora && value.beta > 0) {
    add(
      'beta',
      'without LoRA, the reference would be a second model in memory, which is not supported. Remove --no-lora, or pass --beta 0 to train without a reference',
    );
  }
  checkConstraint(value, add);
  checkServers({ ...value, lora, constrained: isConstrained(value) }, add);
  checkReferenceSync(value, add);
  checkRewardShape(value, add);
  checkRefresh({ ...value, lora }, add);
  if (lora && value.beta === 0 && value.referenceSyncSteps != null) {
    add(
      'referenceSyncSteps',
      'with --beta 0 there is no reference to update. Pass a --beta above 0',
    );
  }
  if (!lora && (value.entropyBonus ?? 0) > 0) {
    add('entropyBonus', 'the entropy bonus needs LoRA. Remove --no-lora, or pass 0');
  }
  if (value.klController === 'adaptive' && value.beta === 0) {
    add(
      'klController',
      'the adaptive controller multiplies --beta, which is 0. Pass a --beta above 0',
    );
  }
  if (
    value.klIn === 'loss' &&
    value.klEstimator === 'k1' &&
    value.beta > 0 &&
    !value.klCorrection
  ) {
    add(
      'klEstimator',
      'k1 as a loss term has an expected gradient of zero. Pass k2 or k3, --kl-correction, or --kl-in reward',
    );
  }
  if (value.klCorrection && value.klIn === 'reward') {
    add('klCorrection', 'applies only to the KL in the loss. Pass --kl-in loss too');
  }
  if ((value.minibatches ?? 1) > units.most) {
    add(
      'minibatches',
      `${value.minibatches} minibatches, but a rollout batch has at most ${units.most} ${units.name}. Pass ${units.most} or fewer, or a larger --batch-size`,
    );
  }
  const high = value.clipRangeHigh ?? value.clipRange ?? 0;
  if (value.dualClip != null && value.dualClip <= 1 + high) {
    add('dualClip', `expected a bound above the clip range (${1 + high}), found ${value.dualClip}`);
  }
}

const answersOf = ({ batchSize, numGenerations }: Checked['value']): UpdateUnits => ({
  most: batchSize * numGenerations,
  name: 'answers',
});

/** Adds an issue if full fine-tuning is requested of a verb whose roles share one frozen base. */
export function checkRolesShareBase(
  { lora, adapter }: { lora: boolean; adapter: string | null },
  { verb, role = null }: { verb: string; role?: string | null },
  add: (name: string, message: string) => void,
): void {
  if (lora || adapter !== null) return;
  add(
    'lora',
    `keel ${verb} needs LoRA, since ${role === null ? 'policy and reference' : `policy, reference and ${role}`} are adapters of one frozen base. Remove --no-lora`,
  );
}
