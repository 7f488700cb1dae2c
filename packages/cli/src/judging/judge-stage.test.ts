import { describe, expect, it } from 'vitest';
import { stageOfJudging, winRateGate } from './judge-stage.ts';

const rate = (value: number, low: number) => ({
  win_rate: { value, interval: [low, 0.9], count: 40 },
});

describe('--min-win-rate', () => {
  it.each([
    ['reached by the interval', 0.5, rate(0.7, 0.55), true, /70\.0%.*55\.0%/],
    ['missed by the interval', 0.5, rate(0.6, 0.45), false, /50\.0%.*60\.0%.*45\.0%.*5\.0 points/],
    ['without a verdict', 0.5, { win_rate: null }, false, /50\.0%/],
  ])('%s', (_, minWinRate, summary, passed, reason) => {
    const verdict = winRateGate({ minWinRate }, summary)!;
    expect(verdict.passed).toBe(passed);
    expect(verdict.reasons.join()).toMatch(reason);
  });

  it('is no gate if it is not given', () => {
    expect(winRateGate({ minWinRate: null }, rate(0.1, 0))).toBeNull();
  });
});

describe('a stage that judges', () => {
  const options = { threads: null, minWinRate: 0.5 } as Parameters<typeof stageOfJudging>[0];

  it('has the numbers of its summary, and passes progress on', async () => {
    const seen: unknown[] = [];
    const result = await stageOfJudging(
      options,
      { onProgress: (...progress) => seen.push(progress) },
      async (_, hooks) => {
        hooks.onSampling?.('before', 1, 2);
        const usage = { promptTokens: 0, answerTokens: 0, cost: 0 };
        hooks.onProgress?.({ done: 1, total: 5, failed: 0, usage }, 'check');
        hooks.onProgress?.({ done: 2, total: 3, failed: 0, usage }, 'comparison');
        const check = { accuracy: { value: 0.9, interval: [0.8, 0.95], count: 68 } };
        const orders = { pairs: 0, once: 40, agree: null };
        return { summary: { ...rate(0.7, 0.55), orders, check } };
      },
    );
    expect(seen).toEqual([
      ['answers of before', 1, 2],
      ['labelled pairs', 1, 5],
      ['verdicts', 2, 3],
    ]);
    expect(result).toMatchObject({ interrupted: false, verdict: { passed: true } });
    expect(result.headlines).toMatchObject([
      { label: 'win rate', unit: 'share', after: { value: 0.7, interval: [0.55, 0.9] } },
      {
        label: 'judge is right',
        after: { value: 0.9, interval: [0.8, 0.95] },
        note: expect.stringContaining('68'),
      },
      // A judge that sees no order cannot disagree with itself.
      { label: 'orders agree', after: { value: 1 } },
    ]);
  });

  it('has none if it was interrupted', async () => {
    expect(await stageOfJudging(options, {}, async () => null)).toEqual({
      ...{ interrupted: true, headlines: [], verdict: null },
    });
  });
});
