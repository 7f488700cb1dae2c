import { readFileSync } from 'node:fs';
import { gradcheck, tensor, tidy } from '@keel/torch';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, it } from 'vitest';
import type { PairedScores } from './paired.ts';
import { pairedObjective, pairedObjectiveNames, weightedObjective } from './registry.ts';

const wide = { dtype: 'float64' } as const;

interface Case {
  inputs: Record<string, number | number[]>;
  expected: Record<string, number>;
}

const scoresOf = (inputs: Case['inputs']): PairedScores => {
  const column = (name: string) => tensor(inputs[name] as number[], wide);
  return {
    policyChosen: column('policy_chosen'),
    policyRejected: column('policy_rejected'),
    referenceChosen: column('ref_chosen'),
    referenceRejected: column('ref_rejected'),
    tokensChosen: column('tokens_chosen'),
    tokensRejected: column('tokens_rejected'),
  };
};

const golden = goldenPath('losses.json');

describe.skipIf(golden === null)('golden losses', () => {
  const cases = golden === null ? [] : (JSON.parse(readFileSync(golden, 'utf8')).offline as Case[]);
  const names: [string, string, boolean][] = [
    ['sigmoid', 'sigmoid', false],
    ['sigmoid', 'conservative (cDPO)', true],
    ['ipo', 'ipo (summed log-ratios)', false],
    ['ipo_averaged', 'ipo (averaged log-ratios)', false],
  ];
  it.each(names)('%s gives "%s"', (name, key, smoothed) => {
    expect(cases.length).toBeGreaterThan(0);
    for (const { inputs, expected } of cases) {
      const value = tidy(() =>
        pairedObjective(name)
          .loss(scoresOf(inputs), {
            beta: inputs.beta as number,
            labelSmoothing: smoothed ? (inputs.label_smoothing as number) : 0,
          })
          .mean()
          .item(),
      );
      expect(Math.abs(value - expected[key]!)).toBeLessThan(1e-9);
    }
  });
});

describe('paired objectives', () => {
  const inputs = {
    policy_chosen: [-12, -20.5],
    policy_rejected: [-14, -18],
    ref_chosen: [-13, -20],
    ref_rejected: [-13.5, -19],
    tokens_chosen: [4, 5],
    tokens_rejected: [6, 4],
  };

  it.each(pairedObjectiveNames)('%s has the gradient that differences give', (name) => {
    tidy(() => {
      const scores = scoresOf(inputs);
      gradcheck(
        (policyChosen, policyRejected) =>
          pairedObjective(name).loss(
            { ...scores, policyChosen, policyRejected },
            { beta: 0.3, labelSmoothing: 0.1 },
          ),
        [scores.policyChosen.setRequiresGrad(), scores.policyRejected.setRequiresGrad()],
      );
    });
  });

  it('sigmoid is ln 2 where policy and reference agree', () => {
    const even = {
      ...inputs,
      ref_chosen: inputs.policy_chosen,
      ref_rejected: inputs.policy_rejected,
    };
    const loss = tidy(() =>
      pairedObjective('sigmoid').loss(scoresOf(even), { beta: 0.1, labelSmoothing: 0 }).toArray(),
    );
    expect(loss).toEqual([Math.LN2, Math.LN2]);
  });

  it('chosen_nll is the mean surprise of a token', () => {
    const loss = tidy(() =>
      pairedObjective('chosen_nll')
        .loss(scoresOf(inputs), { beta: 1, labelSmoothing: 0 })
        .toArray(),
    );
    expect(loss).toEqual([3, 4.1]);
  });

  it('adds objectives by weight', () => {
    const options = { beta: 0.2, labelSmoothing: 0 };
    tidy(() => {
      const scores = scoresOf(inputs);
      const [a, b] = ['sigmoid', 'chosen_nll'].map((name) => pairedObjective(name));
      const both = weightedObjective([
        { objective: a!, weight: 2 },
        { objective: b!, weight: 0.5 },
      ]);
      const expected = a!.loss(scores, options).mul(2).add(b!.loss(scores, options).mul(0.5));
      expect(both.loss(scores, options).toArray()).toEqual(expected.toArray());
      expect(both.needsReference).toBe(true);
    });
  });

  it('names the known objectives when asked for another', () => {
    expect(() => pairedObjective('sigmoit')).toThrow(/known are sigmoid, ipo/);
  });
});
