import { tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { lossesOf, type PairedCase, scoresOf } from './fixtures/paired-case.ts';
import { completeOptions, weightedObjective } from './mixture.ts';
import type { PairedObjective } from './paired.ts';
import { plackettLuceDpo } from './plackett-luce-dpo.ts';
import { pairedObjective, pairedObjectiveNames } from './registry.ts';

const pairs: PairedCase = {
  policyChosen: [-12, -20.5],
  policyRejected: [-14, -18],
  referenceChosen: [-13, -20],
  referenceRejected: [-13.5, -19],
  tokensChosen: [4, 5],
  tokensRejected: [6, 4],
};
const even: PairedCase = {
  ...pairs,
  referenceChosen: pairs.policyChosen,
  referenceRejected: pairs.policyRejected,
};
const values = (name: string, of: PairedCase, options = {}): number[] =>
  tidy(() => lossesOf(pairedObjective(name), scoresOf(of), options).toArray());

describe('paired objectives', () => {
  it('sigmoid is ln 2 if policy and reference agree', () => {
    expect(values('sigmoid', even)).toEqual([Math.LN2, Math.LN2]);
  });

  it('chosen_nll is the mean negative log-likelihood of a token', () => {
    expect(values('chosen_nll', pairs)).toEqual([3, 4.1]);
    // Of 9 tokens, in two pairs.
    expect(values('chosen_nll_by_token', pairs)).toEqual([12 / 4.5, 20.5 / 4.5]);
  });

  it('bco_pair before its first step equals the loss of TRL at every step', () => {
    const given = { beta: 0.3 };
    expect(values('bco_pair', pairs, given)).toEqual(values('bco_pair_unshifted', pairs, given));
    const later = { ...pairs, bcoDelta: 0.2 };
    const [shifted] = values('bco_pair', later, given);
    expect(shifted).not.toBeCloseTo(values('bco_pair_unshifted', later, given)[0]!, 3);
  });

  it('only wpo_unbounded allows a weight above 1', () => {
    const likely = {
      chosen: tensor([0.7], { dtype: 'float64' }),
      rejected: tensor([-0.2], { dtype: 'float64' }),
    };
    const one = (name: string): number =>
      tidy(() =>
        lossesOf(pairedObjective(name), {
          ...scoresOf({
            ...pairs,
            policyChosen: [-12],
            policyRejected: [-14],
            referenceChosen: [-13],
            referenceRejected: [-13.5],
            tokensChosen: [4],
            tokensRejected: [6],
          }),
          alignment: likely,
        }).item(),
      );
    expect(one('wpo')).toBeCloseTo(one('sigmoid'), 12);
    expect(one('wpo_unbounded')).toBeCloseTo(Math.exp(0.5) * one('sigmoid'), 12);
  });

  it('become DPO if their own part is switched off', () => {
    const dpo = values('sigmoid', pairs, { beta: 0.3 });
    const off: Record<string, object> = {
      robust: { labelSmoothing: 0 },
      odpo: { odpoAlpha: 0 },
      beta_dpo: { betaAlpha: 0 },
      beta_dpo_by_pair: { betaAlpha: 0 },
      rdpo: { rdpoAlpha: 0 },
      rdpo_offset: { rdpoAlpha: 0 },
      dpop: { dpopLambda: 0 },
      ld_dpo: { ldAlpha: 1 },
      ld_dpo_policy: { ldAlpha: 1 },
      f_dpo: { fDivergenceType: 'reverse_kl' },
      rainbowpo: {
        ...{ rainbowAlpha: 1, rainbowPerToken: false, rainbowWeighted: false },
      },
    };
    for (const [name, options] of Object.entries(off)) {
      const found = values(name, pairs, { ...options, beta: 0.3 });
      found.forEach((value, at) => {
        expect(value, name).toBeCloseTo(dpo[at]!, 12);
      });
    }
  });

  it('alphapo equals SimPO at alpha 0, and approaches it from both sides', () => {
    const at = (alphapoAlpha: number): number[] =>
      values('alphapo', pairs, { beta: 2, simpoGamma: 0.6, alphapoAlpha });
    const expected = values('simpo', pairs, { beta: 2, simpoGamma: 0.6 });
    expect(at(0)).toEqual(expected);
    for (const alpha of [1e-6, -1e-6])
      at(alpha).forEach((value, pair) => {
        expect(value).toBeCloseTo(expected[pair]!, 4);
      });
    expect(at(0.25)[0]).not.toBeCloseTo(expected[0]!, 2);
  });

  it('rainbowpo has SimPO and length-normalised DPO as special cases', () => {
    const plain = { beta: 2, rainbowWeighted: false };
    const ends = [
      [
        values('rainbowpo', pairs, { ...plain, rainbowAlpha: 0, rainbowGamma: 0.6 }),
        values('simpo', pairs, { beta: 2, simpoGamma: 0.6 }),
      ],
      [
        values('rainbowpo', pairs, { ...plain, rainbowAlpha: 1 }),
        values('sigmoid_norm', pairs, { beta: 2 }),
      ],
    ];
    for (const [found, expected] of ends) {
      found!.forEach((value, at) => {
        expect(value).toBeCloseTo(expected![at]!, 12);
      });
    }
  });

  it('rdpo requires less of a pair with the longer chosen answer, rdpo_offset more', () => {
    const longer = { ...even, tokensChosen: [20, 20] };
    const [dpo] = values('sigmoid', longer);
    expect(values('rdpo', longer)[0]).toBeLessThan(dpo!);
    expect(values('rdpo_offset', longer)[0]).toBeGreaterThan(dpo!);
  });

  it('IPO summed and averaged are two losses, each under its own name', () => {
    // c = 1, r = -0.5; n = 4 and 6; 1/2b = 5
    expect(values('ipo', pairs, { beta: 0.1 })[0]).toBeCloseTo((1.5 - 5) ** 2, 12);
    expect(values('ipo_averaged', pairs, { beta: 0.1 })[0]).toBeCloseTo(
      (1 / 4 + 0.5 / 6 - 5) ** 2,
      12,
    );
  });

  it('do not depend on a reference unless they need one', () => {
    const moved = { ...pairs, referenceChosen: [-1, -2], referenceRejected: [-30, -4] };
    const free = pairedObjectiveNames.filter((name) => !pairedObjective(name).needsReference);
    expect(free.sort()).toEqual(
      [
        'alphapo',
        'chosen_nll',
        'chosen_nll_by_token',
        'cpo',
        'cpo_summed',
        'orpo',
        'orpo_by_answer',
        'simpo',
        'slic',
      ].sort(),
    );
    for (const name of free) expect(values(name, moved), name).toEqual(values(name, pairs));
    for (const name of pairedObjectiveNames.filter((one) => !free.includes(one)))
      expect(values(name, moved), name).not.toEqual(values(name, pairs));
  });

  it('lists the known objectives for an unknown name', () => {
    expect(() => pairedObjective('sigmoit')).toThrow(/"sigmoit".*sigmoid, robust/);
  });
});

describe('rankings', () => {
  it('of two answers are DPO', () => {
    const ranked = (chosen: readonly number[], rejected: readonly number[]) =>
      tensor(
        chosen.map((value, at) => [value, rejected[at]!]),
        { dtype: 'float64' },
      );
    const found = tidy(() =>
      plackettLuceDpo(
        {
          policy: ranked(pairs.policyChosen, pairs.policyRejected),
          reference: ranked(pairs.referenceChosen, pairs.referenceRejected),
        },
        0.3,
      ).toArray(),
    );
    const dpo = values('sigmoid', pairs, { beta: 0.3 });
    found.forEach((value, at) => {
      expect(value).toBeCloseTo(dpo[at]!, 12);
    });
  });
});

describe('mixtures', () => {
  it('add objectives by weight, each with its own options', () => {
    tidy(() => {
      const scores = scoresOf(pairs);
      const [dpo, simpo] = ['sigmoid', 'simpo'].map(pairedObjective) as [
        PairedObjective,
        PairedObjective,
      ];
      const both = weightedObjective([
        { objective: dpo, weight: 2, options: completeOptions(dpo) },
        { objective: simpo, weight: 0.5, options: completeOptions(simpo) },
      ]);
      const expected = lossesOf(dpo, scores).mul(2).add(lossesOf(simpo, scores).mul(0.5));
      expect(both.loss(scores, { beta: 7 }).toArray()).toEqual(expected.toArray());
      expect(both).toMatchObject({ needsReference: true, name: '2 sigmoid + 0.5 simpo' });
    });
  });

  it('need the inputs that their parts need', () => {
    const parts = ['odpo', 'aot', 'bco_pair', 'ld_dpo'].map((name) => ({
      objective: pairedObjective(name),
      weight: 1,
    }));
    const whole = weightedObjective(parts);
    expect(whole).toMatchObject({ coupled: true, needs: ['scoreGap', 'running', 'shared'] });
    expect(Object.keys(whole.running!)).toEqual(['bcoDelta']);
    expect(whole.refuseGap?.(0, { odpoScaling: 'log' })).toMatch(/scored above/);
  });
});

describe('options', () => {
  it('are the objective’s own, with its own defaults', () => {
    expect(completeOptions(pairedObjective('simpo'))).toEqual({ beta: 2, simpoGamma: 1 });
    expect(completeOptions(pairedObjective('ipo'), { simpoGamma: 3 })).toEqual({ beta: 0.1 });
    expect(() => completeOptions(pairedObjective('robust'), { labelSmoothing: 0.5 })).toThrow(
      /half of the labels/,
    );
  });
});
