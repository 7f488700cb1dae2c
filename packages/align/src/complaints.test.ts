// Complaints of users of other trainers, each with the test that ensures the opposite in Keel.
// Those tests are next to the code that they test; this file checks that none is lost.
import { readFileSync } from 'node:fs';
import { tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { lossesOf, scoresOf } from './objectives/fixtures/paired-case.ts';
import { pairedObjective } from './objectives/registry.ts';

/** Complaint, file, and the name of the test. */
const held: readonly (readonly [complaint: string, file: string, test: string])[] = [
  [
    'the reference is precomputed, yet ignored',
    'methods/pairs/paired-objectives.test.ts',
    'a precomputed reference is used and not ignored',
  ],
  [
    "KTO's KL is matched with itself",
    'batching/mismatched.test.ts',
    "KTO's KL never pairs a prompt with an answer to itself",
  ],
  [
    "KTO's KL is over one row",
    'methods/answers/run-kto.test.ts',
    'refuses KL over one row if KTO needs it',
  ],
  [
    'masks are shifted by tokens merged at the border of prompt and answer',
    'batching/tokenise-pair.test.ts',
    'tokenise prompt and answer separately: no token crosses their border',
  ],
  [
    'a real end of sequence is masked, because pad equals it',
    'batching/complaints.test.ts',
    'a real end of sequence is scored, even if it is also the pad token',
  ],
  [
    'the beginning of sequence is doubled',
    'batching/complaints.test.ts',
    "a chat's beginning-of-sequence token comes from the template, and is not doubled",
  ],
  [
    'gradient accumulation is scaled wrongly: pairs',
    'methods/pairs/paired-task.test.ts',
    '1x8, 2x4 and 8x1 give the same gradient: %s',
  ],
  [
    'gradient accumulation is scaled wrongly: supervised, by tokens',
    'methods/supervised/supervised-task.test.ts',
    '1x8, 2x4, 8x1 and passes by tokens give the same gradient: %s',
  ],
  [
    'gradient accumulation is scaled wrongly: single answers',
    'methods/answers/run-kto.test.ts',
    'takes the same steps however they are divided into passes',
  ],
  [
    'gradient accumulation is scaled wrongly: rankings',
    'methods/rankings/run-rankings.test.ts',
    'has the same gradient however a step is divided into passes',
  ],
  [
    'the policy is not its reference at step 0',
    'methods/dpo/run-dpo.test.ts',
    'is exactly ln 2: %s',
  ],
  [
    'dropout is left on in the reference pass',
    'methods/pairs/paired-objectives.test.ts',
    'dropout is off in the reference pass, even if an adapter is the reference',
  ],
];

describe('complaints about others', () => {
  it.each(held)('complaint: %s', (_, file, test) => {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8');
    expect(text.includes(`'${test}'`) || text.includes(`"${test}"`), `${file}: ${test}`).toBe(true);
    expect(text).not.toMatch(/\b(it|test|describe)\.(skip|todo|only)\(/);
  });

  it("complaint: IPO's log-ratios are averaged over tokens, but the paper sums them", () => {
    const pairs = {
      ...{ policyChosen: [-10], policyRejected: [-50] },
      ...{ referenceChosen: [-20], referenceRejected: [-40] },
      ...{ tokensChosen: [5], tokensRejected: [10] },
    };
    const loss = (name: string): number =>
      tidy(() => lossesOf(pairedObjective(name), scoresOf(pairs), { beta: 0.1 }).item());
    // d = 10 - (-10) = 20, and 1/2b = 5.
    expect(loss('ipo')).toBeCloseTo((20 - 5) ** 2, 12);
    expect(loss('ipo_averaged')).toBeCloseTo((10 / 5 + 10 / 10 - 5) ** 2, 12);
    // The same margin in answers with twice the tokens: only the average depends on their number.
    const longer = { ...pairs, tokensChosen: [10], tokensRejected: [20] };
    tidy(() => {
      const summed = lossesOf(pairedObjective('ipo'), scoresOf(longer), { beta: 0.1 });
      expect(summed.sub(tensor([225], { dtype: 'float64' })).item()).toBeCloseTo(0, 12);
    });
  });
});
