// The reward of a program: a function, an object that scores, or a spec as a value.
import { exactJson } from '@keel/model/exact-json';
import { ConfigError } from '../../config/config-error.ts';
import { programPart } from '../../config/program-parts.ts';
import { functionReward } from '../../rewards/function-reward.ts';
import { checkModules, openSpec } from '../../rewards/open-reward.ts';
import { parseRewardSpec } from '../../rewards/read-reward-spec.ts';
import type { Reward } from '../../rewards/reward.ts';
import { componentsFiles } from '../../rewards/reward-files.ts';
import type { RewardSpec } from '../../rewards/reward-spec.ts';
import type { RewardFunction } from '../../rewards/user-function.ts';
import type { ProgramReward } from '../../training/program-inputs.ts';

/**
 * What judges answers: the path of a spec or a short form, a function of one answer, a `Reward`, or
 * the content of a spec, whose paths are relative to the working directory.
 */
export type GivenReward = string | RewardFunction | Reward | RewardSpec;

/** @throws ConfigError for anything else than a {@link GivenReward}, and for an invalid spec */
export function programReward(given: Exclude<GivenReward, string>): ProgramReward {
  if (typeof given === 'function') return ofFunction(given);
  const { name, score, type, rewards } = (given ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof score === 'function' && typeof name === 'string' && name !== '') {
    return ofObject(given as Reward);
  }
  if (type !== undefined || rewards !== undefined) return ofSpec(given as RewardSpec);
  throw new ConfigError([
    'reward: expected text (the path of a spec, or a short form), a function, an object with "name" and "score", or a spec with "type" or "rewards"',
  ]);
}

const source = (name: string, part: object) => async () => [programPart(name, part)];

function ofFunction(judge: RewardFunction): ProgramReward {
  const name = judge.name || 'reward';
  return {
    ...{ name, isOwned: false, files: source(name, { judge }) },
    async check() {},
    open: async ({ calls }) => functionReward(name, judge, calls),
  };
}

function ofObject(reward: Reward): ProgramReward {
  const { name } = reward;
  return {
    ...{ name, isOwned: false, files: source(name, reward) },
    async check() {},
    open: async () => reward,
  };
}

function ofSpec(given: RewardSpec): ProgramReward {
  const spec = parseRewardSpec(exactJson(given), 'reward');
  const name = spec.rewards.map((one) => one.name ?? one.type).join('+');
  return {
    ...{ name, isOwned: true },
    check: () => checkModules(spec.rewards, '.'),
    open: (options) => openSpec(spec, '.', options),
    files: async () => [programPart(name, spec), ...(await componentsFiles(spec.rewards, '.'))],
  };
}
