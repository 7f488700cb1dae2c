import { expect, test } from 'vitest';
import type { AnswerRating, Judge, NoVerdict, PairVerdict } from '../judge.ts';
import { noUsage, noVerdict } from '../judgements.ts';
import { panelJudge } from './panel-judge.ts';

const pair = { prompt: 'p', answers: ['a', 'b'] as const, extra: {} };
const answer = { prompt: 'p', answer: 'a', extra: {} };

/** A judge that always says the same; null: no verdict. */
const fixed = (name: string, value: number | null, tie = 0): Judge => ({
  ...{ name, identity: `${name} ${value}`, concurrency: 1, seesOrder: false },
  compare: async () =>
    value === null
      ? noVerdict('asleep')
      : { first: value, tie, exchanges: [], usage: { ...noUsage, promptTokens: 10 } },
  rate: async () =>
    value === null
      ? noVerdict('asleep')
      : { score: value, criteria: { all: value }, exchanges: [], usage: noUsage },
  async [Symbol.asyncDispose]() {},
});

const members = (...all: [value: number | null, weight?: number][]) =>
  all.map(([value, weight = 1], index) => ({ judge: fixed(`m${index}`, value), weight }));

test('the mean is of probabilities, by weight', async () => {
  const panel = panelJudge(members([0.9], [0.1, 3]));
  const verdict = (await panel.compare!(pair)) as PairVerdict;
  expect(verdict.first).toBeCloseTo((0.9 + 0.3) / 4, 12);
  expect(verdict.members).toEqual({ m0: 0.9, m1: 0.1 });
  expect(verdict.usage.promptTokens).toBe(20);
});

test('the majority counts votes, not how sure they are', async () => {
  const rule = 'majority';
  const sure = panelJudge(members([0.51], [0.55], [0.01]), { rule });
  expect(await sure.compare!(pair)).toMatchObject({ first: 1, tie: 0 });
  const even = panelJudge(members([0.9], [0.4]), { rule });
  expect(await even.compare!(pair)).toMatchObject({ first: 0.5, tie: 1 });
  const weighed = panelJudge(members([0.9], [0.4, 2]), { rule });
  expect(await weighed.compare!(pair)).toMatchObject({ first: 0, tie: 0 });
});

test('scores have a mean or a median, and so have criteria', async () => {
  const all = members([1], [2], [9]);
  const mean = (await panelJudge(all).rate!(answer)) as AnswerRating;
  expect(mean).toMatchObject({ score: 4, criteria: { all: 4 } });
  expect(await panelJudge(all, { rule: 'majority' }).rate!(answer)).toMatchObject({ score: 2 });
  const even = panelJudge(members([1], [3]), { rule: 'majority' });
  expect(await even.rate!(answer)).toMatchObject({ score: 2 });
});

test('a member without a verdict is counted, and has no say', async () => {
  const panel = panelJudge(members([0.8], [null]));
  const verdict = (await panel.compare!(pair)) as PairVerdict;
  expect(verdict).toMatchObject({ first: 0.8, members: { m0: 0.8, m1: null } });
  expect(verdict.why).toMatch(/m1: .*asleep/);
  const none = (await panelJudge(members([null], [null])).compare!(pair)) as NoVerdict;
  expect(none.failed).toMatch(/m0: asleep.*m1: asleep/);
  expect(none.members).toEqual({ m0: null, m1: null });
});

test('members with the same name stay apart', async () => {
  const judge = fixed('same', 0.5);
  const panel = panelJudge([
    { judge, weight: 1 },
    { judge: fixed('same', 0.6), weight: 1 },
  ]);
  expect(Object.keys(((await panel.compare!(pair)) as PairVerdict).members!)).toEqual([
    'same',
    'same 2',
  ]);
});

test('a panel can do what all of its members can', () => {
  const { rate: _, ...comparing } = fixed('c', 0.5);
  const { compare: __, ...rating } = fixed('r', 0.5);
  const both = { judge: fixed('b', 0.5), weight: 1 };
  const panel = panelJudge([both, { judge: comparing, weight: 1 }]);
  expect(panel.rate).toBeUndefined();
  expect(panel.compare).toBeDefined();
  expect(() =>
    panelJudge([
      { judge: comparing, weight: 1 },
      { judge: rating, weight: 1 },
    ]),
  ).toThrow(/r .*c /);
});

test('identities differ by members, weights and rule', () => {
  const one = members([0.5], [0.6]);
  const identities = [
    panelJudge(one),
    panelJudge(one, { rule: 'majority' }),
    panelJudge(members([0.5], [0.6, 2])),
    panelJudge(members([0.5], [0.7])),
  ].map(({ identity }) => identity);
  expect(new Set(identities).size).toBe(4);
  expect(panelJudge(one, { name: 'x' }).identity).toBe(identities[0]);
});
