import { readFileSync } from 'node:fs';
import { tensor, tidy } from '@keel/torch';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, it } from 'vitest';
import { lossesOf, scoresOf } from './fixtures/paired-case.ts';
import { kto } from './kto.ts';
import { plackettLuceDpo } from './plackett-luce-dpo.ts';
import { pairedObjective } from './registry.ts';

type Inputs = Record<string, number & number[]>;
interface Golden {
  offline: { inputs: Inputs; expected: Record<string, number> }[];
  online: { what: string; scores: number[]; loss: number }[];
}

const golden = JSON.parse(readFileSync(goldenPath('losses.json'), 'utf8')) as Golden;

const casesOf = (inputs: Inputs) =>
  scoresOf({
    policyChosen: inputs.policy_chosen!,
    policyRejected: inputs.policy_rejected!,
    referenceChosen: inputs.ref_chosen!,
    referenceRejected: inputs.ref_rejected!,
    tokensChosen: inputs.tokens_chosen!,
    tokensRejected: inputs.tokens_rejected!,
    scoreGap: inputs.score_gap!,
  });

/** By the name in the golden file: the name in Keel, and the options. */
const losses: Record<string, [string, (inputs: Inputs) => Record<string, unknown>]> = {
  sigmoid: ['sigmoid', ({ beta }) => ({ beta })],
  'conservative (cDPO)': [
    'sigmoid',
    ({ beta, label_smoothing: labelSmoothing }) => ({ beta, labelSmoothing }),
  ],
  robust: ['robust', ({ beta, label_smoothing: labelSmoothing }) => ({ beta, labelSmoothing })],
  'hinge (SLiC, reference-normalised)': ['hinge', ({ beta }) => ({ beta })],
  'ipo (summed log-ratios)': ['ipo', ({ beta }) => ({ beta })],
  'ipo (averaged log-ratios)': ['ipo_averaged', ({ beta }) => ({ beta })],
  sigmoid_norm: ['sigmoid_norm', ({ beta }) => ({ beta })],
  'exo_pair (label smoothing max(e, 1e-3))': [
    'exo_pair',
    ({ beta, label_smoothing: labelSmoothing }) => ({ beta, labelSmoothing }),
  ],
  nca_pair: ['nca_pair', ({ beta }) => ({ beta })],
  'bco_pair (delta 0)': ['bco_pair_unshifted', ({ beta }) => ({ beta })],
  sppo_hard: ['sppo_hard', ({ beta }) => ({ beta })],
  apo_zero: ['apo_zero', ({ beta }) => ({ beta })],
  apo_down: ['apo_down', ({ beta }) => ({ beta })],
  'discopop (tau 0.05)': ['discopop', ({ beta }) => ({ beta, discopopTau: 0.05 })],
  'aot (paired)': [
    'aot',
    ({ beta, label_smoothing: labelSmoothing }) => ({ beta, labelSmoothing }),
  ],
  aot_unpaired: [
    'aot_unpaired',
    ({ beta, label_smoothing: labelSmoothing }) => ({ beta, labelSmoothing }),
  ],
  'simpo (average log-probs; beta=simpo_beta, margin gamma)': [
    'simpo',
    (given) => ({ beta: given.simpo_beta, simpoGamma: given.simpo_gamma }),
  ],
  'cpo (sigmoid preference term + NLL of chosen, alpha 1)': [
    'cpo',
    ({ beta }) => ({ beta, cpoAlpha: 1 }),
  ],
  'orpo (token-mean NLL of chosen - beta log sigmoid log-odds)': ['orpo', ({ beta }) => ({ beta })],
  'slic (margin delta on log-probs, no regulariser)': [
    'slic',
    (given) => ({ slicDelta: given.slic_delta }),
  ],
  'odpo (offset alpha*log(score gap))': [
    'odpo',
    (given) => ({ beta: given.beta, odpoAlpha: given.odpo_alpha }),
  ],
  'dpop / dpo-positive (lambda max(0, ref-policy) on chosen inside)': [
    'dpop',
    (given) => ({ beta: given.beta, dpopLambda: given.dpop_lambda }),
  ],
  'cal-dpo': ['cal_dpo', ({ beta }) => ({ beta })],
  'rebel (1/eta (d) regressed on reward gap)': [
    'rebel',
    (given) => ({ rebelEta: given.rebel_eta }),
  ],
  'r-dpo (length penalty alpha (len_chosen-len_rejected))': [
    'rdpo_offset',
    (given) => ({ beta: given.beta, rdpoAlpha: given.rdpo_alpha }),
  ],
};

const kinds = [
  'kto (chosen desirable, rejected undesirable, kl given)',
  'implicit rewards chosen',
  'implicit rewards rejected',
  'accuracy',
];

describe('golden losses', () => {
  it.each(Object.keys(losses))('%s', (key) => {
    const [name, options] = losses[key]!;
    expect(golden.offline.length).toBeGreaterThan(0);
    for (const { inputs, expected } of golden.offline) {
      const value = tidy(() =>
        lossesOf(pairedObjective(name), casesOf(inputs), options(inputs)).mean().item(),
      );
      expect(Math.abs(value - expected[key]!)).toBeLessThan(1e-9);
    }
  });

  it('cover every entry', () => {
    const expected = new Set(golden.offline.flatMap((one) => Object.keys(one.expected)));
    expect([...expected].filter((key) => !(key in losses)).sort()).toEqual(kinds.toSorted());
  });

  it('kto', () => {
    for (const { inputs, expected } of golden.offline) {
      const value = tidy(() => {
        const answers = (chosen: number[], rejected: number[]) =>
          tensor([...chosen, ...rejected], { dtype: 'float64' });
        const pairs = inputs.policy_chosen!.length;
        const scores = {
          policy: answers(inputs.policy_chosen!, inputs.policy_rejected!),
          reference: answers(inputs.ref_chosen!, inputs.ref_rejected!),
          desirable: answers(Array(pairs).fill(1), Array(pairs).fill(0)),
          kl: inputs.kto_kl!,
          running: {},
        };
        const options = { beta: inputs.beta!, desirableWeight: 1, undesirableWeight: 1 };
        return kto.loss(scores, options).mean().item();
      });
      expect(Math.abs(value - expected[kinds[0]!]!)).toBeLessThan(1e-9);
    }
  });

  it('DPO on rankings is the Plackett-Luce loss of implicit rewards', () => {
    const rankings = golden.online.filter(({ what }) => what.startsWith('plackett-luce'));
    expect(rankings.length).toBeGreaterThan(0);
    for (const { scores, loss } of rankings) {
      const value = tidy(() => {
        const policy = tensor([scores], { dtype: 'float64' }).mul(2); // beta = 1/2
        return plackettLuceDpo({ policy, reference: policy.mul(0) }, 0.5).item();
      });
      expect(Math.abs(value - loss)).toBeLessThan(1e-9);
    }
  });
});
