import { tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { AdaptiveKlController } from '../../rollouts/kl-controller.ts';
import { goldenOnline } from '../fixtures/golden-online.ts';
import { clippedSurrogate } from './clipped-surrogate.ts';
import { pickScored, rewardsOfScored, scoredTokens } from './fixtures/completion-end.ts';
import { generalisedAdvantages } from './gae.ts';
import { groupAdvantages, leaveOneOutAdvantages } from './group-advantages.ts';
import { importanceRatio } from './importance-ratio.ts';
import { klEstimators, klPerToken } from './kl-estimators.ts';
import { policyDrift } from './policy-drift.ts';
import { RolloutLayout } from './rollout.ts';
import { valueLoss } from './value-loss.ts';

const wide = { dtype: 'float64' } as const;
type Entry = { what: string } & Record<string, number | number[]>;
const named = goldenOnline<Entry>;
const list = (entry: Entry, key: string): number[] => entry[key] as number[];
const column = (entry: Entry, key: string) => tensor(list(entry, key), wide);
const close = (found: number | ArrayLike<number>, expected: number | number[]): void => {
  const values = typeof found === 'number' ? [found] : Array.from(found);
  const aims = [expected].flat();
  expect(values.length).toBe(aims.length);
  values.forEach((value, at) => {
    expect(Math.abs(value - aims[at]!)).toBeLessThan(1e-9);
  });
};

describe('golden online values', () => {
  it('has the ten entries', () => {
    expect(named('').length).toBe(10);
  });

  it('generalised advantages, with NaN from the critic on unscored tokens', () => {
    expect(named('gae').length).toBe(3);
    for (const entry of named('gae')) {
      const scored = [list(entry, 'mask')];
      const rows = scoredTokens(scored);
      const { advantages, returns } = generalisedAdvantages(
        rows.layout,
        {
          rewards: rewardsOfScored(list(entry, 'rewards'), scored),
          values: pickScored(list(entry, 'values'), rows),
        },
        { gamma: entry.gamma as number, lambda: entry.lam as number },
      );
      close(advantages, list(entry, 'advantages').slice(0, rows.layout.tokens));
      close(returns, list(entry, 'returns').slice(0, rows.layout.tokens));
    }
  });

  it('group advantages: grpo, dr_grpo, rloo', () => {
    const [entry] = named('group advantages') as [Entry];
    const rewards = list(entry, 'rewards');
    const layout = RolloutLayout.of(
      rewards.map(() => 1),
      rewards.map(() => 0),
    );
    const epsilon = entry.grpo_std_epsilon as number;
    close(groupAdvantages(layout, rewards, { epsilon }).advantages, list(entry, 'grpo'));
    close(groupAdvantages(layout, rewards, { scaling: 'none' }).advantages, list(entry, 'dr_grpo'));
    close(leaveOneOutAdvantages(layout, rewards).advantages, list(entry, 'rloo'));
  });

  it('the clipped surrogate, its clip fraction and the KL of the update', () => {
    const [entry] = named('ppo clip') as [Entry];
    tidy(() => {
      const policy = column(entry, 'log_ratio');
      const old = policy.mul(0);
      const clip = { low: entry.epsilon as number, high: entry.epsilon as number };
      const ratio = importanceRatio(RolloutLayout.of([policy.size]), { policy, old }, 'token');
      const { loss, clipped } = clippedSurrogate(ratio, column(entry, 'advantages'), clip);
      close(loss.mean().item(), entry.loss!);
      close(clipped.mean().item(), entry.clip_fraction!);
      const drift = policyDrift(policy, old, clip);
      close(drift.k1, entry.approx_kl_k1!);
      close(drift.k3, entry.approx_kl_k3!);
    });
  });

  it('the clipped value loss', () => {
    const [entry] = named('value clip') as [Entry];
    tidy(() => {
      const columns = {
        values: column(entry, 'values'),
        returns: column(entry, 'returns'),
        old: column(entry, 'old_values'),
      };
      close(
        valueLoss(columns, entry.range as number)
          .mean()
          .item(),
        entry.loss!,
      );
    });
  });

  it('the KL estimators', () => {
    const [entry] = named('kl estimators') as [Entry];
    tidy(() => {
      for (const name of klEstimators) {
        const found = klPerToken(name, column(entry, 'policy'), column(entry, 'reference'));
        close(found.toArray(), list(entry, name));
      }
    });
  });

  it('the adaptive KL controller', () => {
    const [entry] = named('adaptive kl') as [Entry];
    const controller = new AdaptiveKlController(entry.coefficient as number, {
      target: entry.target as number,
      horizon: entry.horizon as number,
    });
    controller.observe(entry.kl as number, entry.batch as number);
    close(controller.coefficient, entry.next_coefficient!);
  });
});
