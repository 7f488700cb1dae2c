// Compares autograd with closed forms and with finite differences, in float64.
import { gradcheck, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import {
  type AllScores,
  lossesOf,
  type PairedCase,
  scoresOf,
  sharedPart,
} from './fixtures/paired-case.ts';
import type { PairedObjective } from './paired.ts';
import { pairedObjective, pairedObjectiveNames } from './registry.ts';

const pairs: PairedCase = {
  policyChosen: [-12, -20.5, -7.25, -30],
  policyRejected: [-14, -18, -9, -31],
  referenceChosen: [-13, -20, -8, -33.5],
  referenceRejected: [-13.5, -19, -8.7, -25],
  tokensChosen: [4, 5, 3, 9],
  tokensRejected: [6, 4, 5, 9],
  bcoDelta: 0.07,
  betaMargin: 0.4,
};
const [b, e] = [0.3, 0.1];
/** Options for all objectives, with values at which no term vanishes. */
const given = {
  ...{
    beta: b,
    labelSmoothing: e,
    discopopTau: 0.4,
    odpoAlpha: 0.8,
    rdpoAlpha: 0.2,
    dpopLambda: 3,
  },
  ...{ ldAlpha: 0.3, fDivergenceType: 'alpha_divergence', fAlpha: 0.4, rebelEta: 1.7 },
  ...{
    simpoGamma: 0.6,
    alphapoAlpha: 0.4,
    slicDelta: 2.1,
    cpoAlpha: 0.7,
    rainbowAlpha: 0.4,
    rainbowGamma: 0.5,
    betaAlpha: 0.05,
  },
};

/** Numbers of one pair. */
interface Pair {
  c: number;
  r: number;
  d: number;
  pc: number;
  pr: number;
  nc: number;
  nr: number;
  gap: number;
  /** The shared part of each answer. */
  hc: number;
  hr: number;
  weight: number;
  unbounded: number;
  meanTokens: number;
}
type Gradient = [chosen: number, rejected: number];

const meanMargin =
  pairs.policyChosen.reduce(
    (sum, one, at) =>
      sum +
      (one - pairs.referenceChosen[at]!) -
      (pairs.policyRejected[at]! - pairs.referenceRejected[at]!),
    0,
  ) / pairs.policyChosen.length;

const s = (x: number): number => 1 / (1 + Math.exp(-x));
const opposite = (slope: number): Gradient => [slope, -slope];
const eachToken = (slope: number, { nc, nr }: Pair): Gradient => [slope / nc, -slope / nr];
const cdpo = (x: number): number => s(x) - 1 + e;
const fPrime = (logRatio: number): number => Math.exp(-0.4 * logRatio);
/** d log(p/(1-p)) / d log p */
const oddsSlope = (mean: number): number => 1 / (1 - Math.exp(mean));
const odds = (mean: number): number => mean - Math.log(1 - Math.exp(mean));
const orpoTerm = ({ pc, pr, nc, nr }: Pair): Gradient => {
  const slope = -b * s(odds(pr / nr) - odds(pc / nc));
  return [(slope * oddsSlope(pc / nc)) / nc, (-slope * oddsSlope(pr / nr)) / nr];
};
const ldMargin = (p: Pair, reference: 'same' | 'whole'): number => {
  const part = (half: number): number => 0.3 + 0.7 * half;
  const [kc, kr] = [part(p.hc), part(p.hr)];
  const [rc, rr] = reference === 'same' ? [kc, kr] : [1, 1];
  return p.pc * kc - (p.pc - p.c) * rc - (p.pr * kr - (p.pr - p.r) * rr);
};
const ld = (p: Pair, reference: 'same' | 'whole'): Gradient => {
  const slope = -b * s(-b * ldMargin(p, reference));
  return [slope * (0.3 + 0.7 * p.hc), -slope * (0.3 + 0.7 * p.hr)];
};
const discopopSlope = (x: number, tau: number): number => {
  const m = s(x / tau);
  return (
    ((m * (1 - m)) / tau) * (Math.exp(-x) + Math.log(s(x))) - (1 - m) * s(-x) - m * Math.exp(-x)
  );
};
const exoSlope = (x: number): number => s(x) * s(-x) * (x - Math.log((1 - e) / e));
const cpoSlope = ({ pc, pr }: Pair): number => b * cdpo(b * (pc - pr));

/** d loss / d log p of chosen and of rejected, derived by hand from the papers' formulas. */
const closed: Record<string, (pair: Pair) => Gradient> = {
  sigmoid: ({ d }) => opposite(b * cdpo(b * d)),
  robust: ({ d }) => opposite(b * (s(b * d) - (1 - e) / (1 - 2 * e))),
  ipo: ({ d }) => opposite(2 * (d - 1 / (2 * b))),
  ipo_averaged: (p) => eachToken(2 * (p.c / p.nc - p.r / p.nr - 1 / (2 * b)), p),
  hinge: ({ d }) => opposite(b * d < 1 ? -b : 0),
  sigmoid_norm: (p) => eachToken(-b * s(-b * (p.c / p.nc - p.r / p.nr)), p),
  exo_pair: ({ d }) => opposite(b * exoSlope(b * d)),
  exo: ({ d }) => opposite(b * exoSlope(b * d)),
  nca_pair: ({ c, r }) => [b * (s(b * c) / 2 - s(-b * c)), (b * s(b * r)) / 2],
  bco_pair: ({ c, r }) => [-b * s(0.07 - b * c), b * s(b * r - 0.07)],
  bco_pair_unshifted: ({ c, r }) => [-b * s(-b * c), b * s(b * r)],
  sppo_hard: ({ c, r }) => [2 * (c - 1 / (2 * b)), 2 * (r + 1 / (2 * b))],
  apo_zero: ({ c, r }) => [-b * s(b * c) * s(-b * c), b * s(b * r) * s(-b * r)],
  apo_down: ({ c, d }) => {
    const both = b * s(b * d) * s(-b * d);
    return [b * s(b * c) * s(-b * c) - both, both];
  },
  discopop: ({ d }) => opposite(b * discopopSlope(b * d, 0.4)),
  odpo: ({ d, gap }) => opposite(-b * s(0.8 * Math.log(gap) - b * d)),
  rdpo: ({ d, nc, nr }) => opposite(-b * s(-b * d - 0.2 * (nc - nr))),
  rdpo_offset: ({ d, nc, nr }) => opposite(-b * s(-b * d + 0.2 * (nc - nr))),
  dpop: ({ c, d }) => {
    const slope = -b * s(-b * (d - 3 * Math.max(0, -c)));
    return [slope * (c < 0 ? 4 : 1), -slope];
  },
  cal_dpo: ({ c, r, d }) => [2 * (c - 1 / (2 * b)) - s(-d), 2 * (r + 1 / (2 * b)) + s(-d)],
  ld_dpo: (p) => ld(p, 'same'),
  ld_dpo_policy: (p) => ld(p, 'whole'),
  wpo: ({ d, weight }) => opposite(-weight * b * s(-b * d)),
  wpo_unbounded: ({ d, unbounded }) => opposite(-unbounded * b * s(-b * d)),
  beta_dpo: ({ d }) => {
    const used = b * (1 + 0.05 * (meanMargin - 0.4));
    return opposite(-used * s(-used * d));
  },
  beta_dpo_by_pair: ({ d }) => {
    const used = b * (1 + 0.05 * (d - 0.4));
    return opposite(-used * s(-used * d));
  },
  rainbowpo: (p) => {
    const [qc, qr] = [p.pc - p.c, p.pr - p.r];
    const margin = (p.pc - 0.4 * qc) / p.nc - (p.pr - 0.4 * qr) / p.nr;
    return eachToken(-p.weight * b * s(0.6 * 0.5 - b * margin), p);
  },
  f_dpo: ({ c, r }) => {
    // f'(u) = -u^-a / a, so d f'(u) / d log u = u^-a
    const slope = -b * s(-b * ((fPrime(c) - fPrime(r)) / -0.4));
    return [slope * fPrime(c), -slope * fPrime(r)];
  },
  rebel: ({ d, gap }) => opposite((2 / 1.7) * (d / 1.7 - gap)),
  dno: ({ d, gap }) => opposite(b * (s(b * d) - s(gap))),
  simpo: (p) => eachToken(-b * s(0.6 - b * (p.pc / p.nc - p.pr / p.nr)), p),
  alphapo(p) {
    const power = (mean: number): number => Math.exp(-0.4 * mean);
    const [chosen, rejected] = [power(p.pc / p.nc), power(p.pr / p.nr)];
    const slope = -b * s(0.6 - (b * (rejected - chosen)) / 0.4);
    return [(slope * chosen) / p.nc, (-slope * rejected) / p.nr];
  },
  slic: ({ pc, pr }) => opposite(2.1 - pc + pr > 0 ? -1 : 0),
  cpo: (p) => [cpoSlope(p) - 0.7 / p.meanTokens, -cpoSlope(p)],
  cpo_summed: (p) => [cpoSlope(p) - 0.7, -cpoSlope(p)],
  orpo: (p) => [orpoTerm(p)[0] - 1 / p.meanTokens, orpoTerm(p)[1]],
  orpo_by_answer: (p) => [orpoTerm(p)[0] - 1 / p.nc, orpoTerm(p)[1]],
  chosen_nll: ({ nc }) => [-1 / nc, 0],
  chosen_nll_by_token: ({ meanTokens }) => [-1 / meanTokens, 0],
};

function numbersOf(at: number): Pair {
  const [pc, pr] = [pairs.policyChosen[at]!, pairs.policyRejected[at]!];
  const [c, r] = [pc - pairs.referenceChosen[at]!, pr - pairs.referenceRejected[at]!];
  const [nc, nr] = [pairs.tokensChosen[at]!, pairs.tokensRejected[at]!];
  const unbounded = Math.exp(-0.4 - 0.1 * at - 0.7 + 0.2 * at);
  return {
    ...{ c, r, d: c - r, pc, pr, nc, nr, gap: 0.5 + at },
    ...{ hc: nc > nr ? 0.5 : 1, hr: nr > nc ? 0.5 : 1 },
    weight: Math.min(1, unbounded),
    unbounded,
    meanTokens: pairs.tokensChosen.reduce((sum, n) => sum + n, 0) / pairs.tokensChosen.length,
  };
}

/** Sets the policy's columns and the scores derived from them. */
const withPolicy = (scores: AllScores, own: Pick<AllScores, 'policyChosen' | 'policyRejected'>) => {
  const changed = { ...scores, ...own };
  return { ...changed, shared: sharedPart(pairs, changed) };
};

function autograd(objective: PairedObjective): [number[], number[]] {
  return tidy(() => {
    const scores = scoresOf(pairs);
    const policyChosen = scores.policyChosen.setRequiresGrad();
    const policyRejected = scores.policyRejected.setRequiresGrad();
    const both = { policyChosen, policyRejected };
    lossesOf(objective, withPolicy(scores, both), given).sum().backward();
    const read = (column: typeof policyChosen): number[] =>
      column.grad?.toArray() ?? pairs.tokensChosen.map(() => 0);
    return [read(policyChosen), read(policyRejected)];
  });
}

describe('gradients', () => {
  // A pair's quantile depends on the other pairs, so these have their own test.
  const sorted = ['aot', 'aot_unpaired'];

  it('have a closed form for every objective', () => {
    const others = pairedObjectiveNames.filter((name) => !sorted.includes(name));
    expect(Object.keys(closed).sort()).toEqual(others.sort());
  });

  it.each(Object.keys(closed))('%s: in closed form', (name) => {
    const [chosen, rejected] = autograd(pairedObjective(name));
    for (const at of pairs.policyChosen.keys()) {
      const [ofChosen, ofRejected] = closed[name]!(numbersOf(at));
      expect(chosen[at], `chosen of pair ${at}`).toBeCloseTo(ofChosen, 10);
      expect(rejected[at], `rejected of pair ${at}`).toBeCloseTo(ofRejected, 10);
    }
  });

  it.each(sorted)('%s: DPO between equal ranks', (name) => {
    const [chosen, rejected] = autograd(pairedObjective(name));
    const all = pairs.policyChosen.map((_, at) => numbersOf(at));
    const rankOf = (values: number[], at: number): number =>
      values.filter((value) => value < values[at]!).length;
    const [left, right] =
      name === 'aot'
        ? [all.map(({ pc, pr }) => pc - pr), all.map((p) => p.pc - p.c - (p.pr - p.r))]
        : [all.map(({ c }) => c), all.map(({ r }) => r)];
    const partner = left.map((_, at) =>
      right.findIndex((_, to) => rankOf(right, to) === rankOf(left, at)),
    );
    partner.forEach((to, at) => {
      const slope = b * cdpo(b * (left[at]! - right[to]!));
      expect(chosen[at]).toBeCloseTo(slope, 10);
      expect(rejected[name === 'aot' ? at : to]).toBeCloseTo(-slope, 10);
    });
  });

  // Their beta depends on the margin without a gradient, so finite differences belong to another
  // function.
  const detached = ['beta_dpo', 'beta_dpo_by_pair'];

  it.each(
    pairedObjectiveNames.filter((name) => !detached.includes(name)),
  )('%s: by differences', (name) => {
    tidy(() => {
      const scores = scoresOf(pairs);
      gradcheck(
        (policyChosen, policyRejected) =>
          lossesOf(
            pairedObjective(name),
            withPolicy(scores, { policyChosen, policyRejected }),
            given,
          ),
        [scores.policyChosen.setRequiresGrad(), scores.policyRejected.setRequiresGrad()],
      );
    });
  });

  it.each([
    'reverse_kl',
    'forward_kl',
    'js_divergence',
    'alpha_divergence',
  ])('f_dpo, %s: by differences', (fDivergenceType) => {
    tidy(() => {
      const scores = scoresOf(pairs);
      gradcheck(
        (policyChosen, policyRejected) =>
          lossesOf(
            pairedObjective('f_dpo'),
            { ...scores, policyChosen, policyRejected },
            { ...given, fDivergenceType },
          ),
        [scores.policyChosen.setRequiresGrad(), scores.policyRejected.setRequiresGrad()],
      );
    });
  });

  it('push chosen down if their header says so, and only then', () => {
    // Pair 1: under the policy both have fallen below the reference, chosen by 0.5.
    const falls = (name: string): boolean => autograd(pairedObjective(name))[0][1]! > 0;
    expect(['apo_down'].filter(falls)).toEqual(['apo_down']);
    expect(['sigmoid', 'dpop', 'nca_pair', 'sppo_hard', 'cal_dpo'].filter(falls)).toEqual([]);
  });
});
