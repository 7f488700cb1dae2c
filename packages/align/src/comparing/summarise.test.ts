import { wilsonInterval } from '@keel/statistics';
import { expect, it } from 'vitest';
import type { CompareEntry } from './comparison.ts';
import type { Measured } from './measured.ts';
import { groupsOf, itemsOf, leadsOf, type MeasuredEntry, numbersOf } from './summarise.ts';

/**
 * Four pairs whose answers all have -10 under the reference, with these changes; answers with these
 * scores.
 */
function measuredOf(
  chosen: readonly number[],
  rejected: readonly number[],
  scores: readonly (number | null)[],
): Measured {
  const each = (value: number): number[] => chosen.map(() => value);
  return {
    pairs: {
      rows: chosen.map((_, row) => row),
      chosen: chosen.map((change) => change - 10),
      rejected: rejected.map((change) => change - 10),
      referenceChosen: each(-10),
      referenceRejected: each(-10),
      tokensChosen: each(5),
      tokensRejected: each(10),
    },
    answers: scores.map((score, row) => ({
      ...{
        row,
        prompt: 'p',
        text: 'a',
        tokens: row + 1,
        ended: row % 2 === 0,
        k1: -1,
        k3: 2,
        score,
      },
    })),
    suites: {},
  };
}

const reference = measuredOf([0, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]);
const entryOf = (group: string, seed: number, measured: Measured): MeasuredEntry => ({
  entry: { name: `${group}-s${seed}`, group, seed } as CompareEntry,
  ...{ measured, tokens: 100, seconds: 1 },
});

it('reports changes from the reference, both accuracies, and wins with ties as half', () => {
  const own = measuredOf([1, 2, -3, 0], [0, 3, -4, 0], [2, 1, 0, 3]);
  const numbers = numbersOf([itemsOf(own, reference)]);
  // Margins 1, -1, 1, 0: a tie counts half.
  expect(numbers.accuracy).toEqual({
    ...{ value: 2.5 / 4, spread: null },
    interval: wilsonInterval(2.5, 4),
  });
  expect(numbers.margin!.value).toBe(0.25);
  expect(numbers.chosen!.value).toBe(0);
  expect(numbers.rejected!.value).toBe(-0.25);
  // Per token: -9/5 against -10/10, and so on: the rejected answer is always more likely.
  expect(numbers.likelier!.value).toBe(0);
  expect(numbers.kl!.value).toBe(2);
  expect(numbers.kl_k1!.value).toBe(-1);
  expect(numbers.length!.value).toBe(2.5);
  expect(numbers.ended!.value).toBe(0.5);
  // Scores 2, 1, 0, 3 against 1: won, tied, lost, won.
  expect(numbers.win_rate!.value).toBe(2.5 / 4);
  expect(numbers.reward!.value).toBe(1.5);
});

it('the reference ties with itself', () => {
  const numbers = numbersOf([itemsOf(reference, reference)]);
  expect(numbers.win_rate!.value).toBe(0.5);
  expect(numbers.accuracy!.value).toBe(0.5);
  expect(numbers.margin!.value).toBe(0);
});

it('without a reward there are no wins', () => {
  const silent = measuredOf([0], [0], [null]);
  const numbers = numbersOf([itemsOf(silent, silent)]);
  expect(numbers.win_rate).toBeNull();
  expect(numbers.reward).toBeNull();
});

it('computes the sample deviation over seeds, and orders groups by wins, then accuracy, then margin', () => {
  const one = measuredOf([1, 1, 1, 1], [0, 0, 0, 0], [2, 2, 2, 0]); // wins 3/4
  const other = measuredOf([3, 3, 3, 3], [0, 0, 0, 0], [2, 2, 2, 2]); // wins 1
  const worse = measuredOf([1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]);
  const groups = groupsOf(
    [entryOf('worse', 1, worse), entryOf('a', 1, one), entryOf('a', 2, other)],
    reference,
  );
  expect(groups.map(({ name }) => name)).toEqual(['a', 'worse']);
  const { win_rate, margin, accuracy } = groups[0]!.numbers;
  expect(accuracy!.interval).toEqual(wilsonInterval(4, 4));
  expect(win_rate!.value).toBe(7 / 8);
  expect(win_rate!.spread).toBeCloseTo(Math.SQRT2 / 8, 12);
  expect(margin!.value).toBe(2);
  expect(margin!.spread).toBeCloseTo(Math.SQRT2, 12);
  const [lead] = leadsOf(groups, reference);
  expect(lead).toMatchObject({ over: 'worse', value: 7 / 8, p: 2 * 0.5 ** 4 });
  // Four prompts to none: the bootstrap is certain, the sign test is not.
  expect(lead!.interval[0]).toBeGreaterThan(0);
  expect(lead!.clear).toBe(false);

  const same = groupsOf([entryOf('a', 1, one), entryOf('b', 1, one)], reference);
  expect(leadsOf(same, reference)).toEqual([
    { over: 'b', value: 0, interval: [0, 0], p: 1, clear: false },
  ]);
});

it('with uncertain labels, the more probable answer counts as chosen', () => {
  const own = measuredOf([1, 2, -3, 0], [0, 3, -4, 1], [2, 1, 0, 3]);
  const probabilities = [0.9, 0.2, 0.5, 1];
  const soft = { ...own, pairs: { ...own.pairs, probabilities } };
  const items = itemsOf(soft, reference);
  // Neither answer of the third pair is right.
  expect(items.accuracy).toEqual([1, 1, 0.5, 0]);
  expect(items.margin).toEqual([1, 1, 1, -1]);
  expect(items.chosen).toEqual([1, 3, -3, 0]);
  expect(items.rejected).toEqual([0, 2, -4, 1]);
  // Per token, the rejected answer is the likelier one of every pair.
  expect(items.likelier).toEqual([0, 1, 0.5, 0]);
  const certain = { ...own, pairs: { ...own.pairs, probabilities: [1, 1, 1, 1] } };
  expect(itemsOf(certain, reference)).toEqual(itemsOf(own, reference));
});
