// Losses and gradients stay finite and have the right sign for extreme numbers.
import { tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import {
  type AllScores,
  lossesOf,
  type PairedCase,
  scoresOf,
  sharedPart,
} from './fixtures/paired-case.ts';
import { pairedObjective, pairedObjectiveNames } from './registry.ts';

const pair = (own: Partial<Record<keyof PairedCase, number>>): PairedCase => {
  const usual = {
    policyChosen: -10,
    policyRejected: -10,
    referenceChosen: -10,
    referenceRejected: -10,
  };
  const all = { ...usual, tokensChosen: 5, tokensRejected: 5, scoreGap: 1, ...own };
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [name, [value]]),
  ) as unknown as PairedCase;
};

interface Computed {
  loss: number;
  chosen: number;
  rejected: number;
}

function compute(
  name: string,
  pairs: PairedCase,
  dtype: 'float64' | 'float32',
  options: Record<string, unknown>,
): Computed {
  return tidy(() => {
    const narrow = (scores: AllScores): AllScores => {
      const columns = Object.entries(scores).map(([key, value]) => [
        key,
        value !== null && 'handle' in Object(value) ? value.to(dtype) : value,
      ]);
      return Object.fromEntries(columns) as AllScores;
    };
    const scores = narrow(scoresOf(pairs));
    scores.policyChosen.setRequiresGrad();
    scores.policyRejected.setRequiresGrad();
    const shared = sharedPart(pairs, scores);
    const loss = lossesOf(pairedObjective(name), { ...scores, shared }, options).sum();
    loss.backward();
    return {
      loss: loss.item(),
      chosen: scores.policyChosen.grad?.item() ?? 0,
      rejected: scores.policyRejected.grad?.item() ?? 0,
    };
  });
}

const cases: Record<string, PairedCase> = {
  'a margin of 1e4': pair({ policyChosen: -1, policyRejected: -10_001 }),
  'a margin of -1e4': pair({ policyChosen: -10_001, policyRejected: -1 }),
  'both 1e4 below the reference': pair({ policyChosen: -10_010, policyRejected: -10_010 }),
  'both 1e4 above the reference': pair({
    ...{ policyChosen: -1, policyRejected: -1 },
    ...{ referenceChosen: -10_001, referenceRejected: -10_001 },
  }),
  'answers of one token': pair({ tokensChosen: 1, tokensRejected: 1 }),
  'an empty rejected answer': pair({ tokensRejected: 0, policyRejected: 0, referenceRejected: 0 }),
  'an empty chosen answer': pair({ tokensChosen: 0, policyChosen: 0, referenceChosen: 0 }),
  'answers that are certain': pair({ policyChosen: 0, policyRejected: 0 }),
  'identical answers': pair({}),
};
const smoothings = [0, 0.5];
const takesSmoothing = (name: string): boolean =>
  'labelSmoothing' in (pairedObjective(name).options ?? {});

describe.each(pairedObjectiveNames)('%s', (name) => {
  // robust rejects a share of 0.5, and exo a smoothing of 0.
  const settings = !takesSmoothing(name)
    ? [{}]
    : smoothings
        .filter((one) => !(name === 'robust' && one === 0.5) && !(name === 'exo' && one === 0))
        .map((labelSmoothing) => ({ labelSmoothing }));
  it.each(Object.keys(cases))('is finite for %s', (kind) => {
    for (const settings_ of settings) {
      for (const dtype of ['float64', 'float32'] as const) {
        const found = compute(name, cases[kind]!, dtype, settings_);
        for (const [what, value] of Object.entries(found))
          expect(Number.isFinite(value), `${what} is ${value} in ${dtype}`).toBe(true);
      }
    }
  });
});

describe.each([
  ...['forward_kl', 'js_divergence', 'alpha_divergence'].map((fDivergenceType) => ({
    ...{ name: 'f_dpo', fDivergenceType },
  })),
  { name: 'alphapo', alphapoAlpha: -0.5 },
  { name: 'alphapo', alphapoAlpha: 2 },
  { name: 'alphapo', alphapoAlpha: 0 },
  { name: 'odpo', odpoScaling: 'identity' },
  { name: 'rainbowpo', rainbowPerToken: false },
])('other settings: %o', ({ name, ...options }) => {
  it.each(Object.keys(cases))('is finite for %s', (kind) => {
    for (const dtype of ['float64', 'float32'] as const) {
      const found = compute(name, cases[kind]!, dtype, options);
      for (const [what, value] of Object.entries(found))
        expect(Number.isFinite(value), `${what} is ${value} in ${dtype}`).toBe(true);
    }
  });
});

const at = (name: string, kind: string, options: Record<string, unknown> = {}): Computed =>
  compute(name, cases[kind]!, 'float64', options);

describe('the values there', () => {
  it('DPO ignores a won pair and grows linearly with a lost one', () => {
    expect(at('sigmoid', 'a margin of 1e4').loss).toBe(0);
    expect(at('sigmoid', 'a margin of -1e4').loss).toBeCloseTo(1000, 9);
    expect(at('sigmoid', 'a margin of -1e4').chosen).toBeCloseTo(-0.1, 12);
  });

  it('with uninformative labels, cDPO pulls every margin to 0', () => {
    const half = { labelSmoothing: 0.5 };
    const even = at('sigmoid', 'identical answers', half);
    expect(even.loss).toBeCloseTo(Math.LN2, 12);
    expect(Math.abs(even.chosen)).toBe(0);
    expect(Math.abs(even.rejected)).toBe(0);
    expect(at('sigmoid', 'a margin of 1e4', half).chosen).toBeCloseTo(0.05, 12);
    expect(at('sigmoid', 'a margin of -1e4', half).chosen).toBeCloseTo(-0.05, 12);
  });

  it('IPO pulls a diverged margin back, DPO does not', () => {
    expect(at('ipo', 'a margin of 1e4').chosen).toBeGreaterThan(0);
    expect(at('sigmoid', 'a margin of 1e4').chosen).toBeCloseTo(0, 12);
  });

  it('discopop has its closed form where the exponential would overflow', () => {
    // x = -500: the logistic part's share is 1.
    expect(at('discopop', 'a margin of -1e4').loss).toBeCloseTo(500, 9);
  });

  it('apo_zero and exo give up on a hopeless pair, DPO does not', () => {
    for (const name of ['apo_zero', 'exo']) {
      const hopeless = at(name, 'a margin of -1e4');
      expect(Math.abs(hopeless.chosen), name).toBeLessThan(1e-9);
    }
    expect(Math.abs(at('sigmoid', 'a margin of -1e4').chosen)).toBeGreaterThan(0.09);
  });

  it('identical answers give no gradient if only their difference counts', () => {
    for (const name of [
      'sigmoid',
      'ipo',
      'hinge',
      'odpo',
      'rdpo',
      'simpo',
      'slic',
      'rebel',
      'dno',
    ]) {
      const { chosen, rejected } = at(name, 'identical answers');
      expect(chosen + rejected, name).toBeCloseTo(0, 12);
    }
  });

  it('orpo caps the likelihood of a certain answer at one in a million below 1', () => {
    const { loss } = at('orpo_by_answer', 'answers that are certain');
    expect(loss).toBeCloseTo(0.1 * Math.LN2, 12);
  });
});
