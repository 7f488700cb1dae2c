import { describe, expect, it } from 'vitest';
import type { Judge, JudgedPair, NoVerdict, PairVerdict } from '../judges/judge.ts';
import { labelPair } from './label-pair.ts';

const principles = ['kind', 'safe'].map((id) => ({ id, preference: `Which is more ${id}?` }));
const pair = { prompt: 'Why?', answers: ['first', 'second'] as const, extra: {} };
const usage = { promptTokens: 1, answerTokens: 1, cost: 0 };
const judge = (
  verdict: (asked: JudgedPair) => Partial<PairVerdict & NoVerdict>,
  seesOrder = true,
  isAskedInWords = seesOrder,
): Pick<Judge, 'compare' | 'seesOrder' | 'isAskedInWords'> => ({
  ...{ seesOrder, isAskedInWords },
  compare: async (asked) => ({ exchanges: [], usage, tie: 0, ...verdict(asked) }) as PairVerdict,
});
const open = { principles, clamp: [0, 1] } as const;

describe('a label', () => {
  it('is the mean over orders and principles', async () => {
    // (0.9 + (1 - 0.3)) / 2 = 0.8 and (0.6 + (1 - 0.6)) / 2 = 0.5
    const table: Record<string, number> = {
      ...{ 'kind first': 0.9, 'kind second': 0.3, 'safe first': 0.6, 'safe second': 0.6 },
    };
    const own = judge(({ instructions, answers }) => ({
      first: table[`${/(\w+)\?/.exec(instructions!)![1]} ${answers[0]}`]!,
    }));
    const label = await labelPair(own, pair, open);
    expect(label.probability).toBeCloseTo(0.65, 12);
    expect(label.principles.kind).toBeCloseTo(0.8, 12);
    expect(label.principles.safe).toBeCloseTo(0.5, 12);
    expect(label).toMatchObject({ compared: 2, disagreements: 1, failed: {} });
  });

  it('of the pair the other way round is the complement', async () => {
    const own = judge(({ answers }) => ({ first: answers[0] === 'first' ? 0.7 : 0.1 }));
    const one = await labelPair(own, pair, open);
    const other = await labelPair(own, { ...pair, answers: ['second', 'first'] }, open);
    expect(one.probability! + other.probability!).toBeCloseTo(1, 12);
  });

  it('is a half for a judge that always names the first answer', async () => {
    const label = await labelPair(
      judge(() => ({ first: 1 })),
      pair,
      open,
    );
    expect(label).toMatchObject({ probability: 0.5, disagreements: 2, compared: 2 });
  });

  it('is clamped verdict by verdict', async () => {
    const own = judge(({ answers }) => ({
      ...{ first: answers[0] === 'first' ? 1 : 0, why: 'It is shorter.' },
    }));
    const label = await labelPair(own, pair, { principles, clamp: [0.4, 0.6] });
    expect(label.probability).toBeCloseTo(0.6, 12);
    expect(label.reasons).toHaveLength(4);
  });

  it('leaves out what the judge did not say, and counts it', async () => {
    const own = judge(({ answers, instructions }) =>
      instructions!.includes('kind') && answers[0] === 'second'
        ? { failed: 'busy' }
        : { first: 0.8 },
    );
    const label = await labelPair(own, pair, open);
    expect(label.principles.kind).toBe(0.8);
    expect(label.probability).toBeCloseTo((0.8 + 0.5) / 2, 12);
    expect(label).toMatchObject({ failed: { busy: 1 }, compared: 1 });
    const none = await labelPair(
      judge(() => ({ failed: 'busy' })),
      pair,
      open,
    );
    expect(none).toMatchObject({ probability: null, failed: { busy: 4 } });
  });

  it('asks a judge without words once in each order that it sees', async () => {
    const asked: JudgedPair[] = [];
    const own = judge(
      (one) => {
        asked.push(one);
        return { first: one.answers[0] === 'first' ? 0.8 : 0.4 };
      },
      true,
      false,
    );
    const label = await labelPair(own, pair, open);
    expect(asked.map(({ answers }) => answers[0])).toEqual(['first', 'second']);
    expect(label.probability).toBeCloseTo(0.7, 12);
    expect(label.compared).toBe(1);
  });

  it('asks a judge without words once, without principles', async () => {
    const asked: JudgedPair[] = [];
    const own = judge((one) => {
      asked.push(one);
      return { first: 0.9 };
    }, false);
    const label = await labelPair(own, pair, open);
    expect(asked).toHaveLength(1);
    expect(asked[0]).not.toHaveProperty('instructions');
    expect(label).toMatchObject({ probability: 0.9, compared: 0 });
  });
});
