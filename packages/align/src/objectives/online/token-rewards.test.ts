import { describe, expect, it } from 'vitest';
import { RolloutLayout } from './rollout.ts';
import { sequenceRewards, shapeScores, tokenRewards } from './token-rewards.ts';

const layout = RolloutLayout.of([3, 1]);

describe('tokenRewards', () => {
  it('puts the score on the last real token, not after it (huggingface/trl#3750)', () => {
    const rewards = tokenRewards(layout, [10, 20], [1, 2, 3, 4], 0.5);
    expect([...rewards]).toEqual([-0.5, -1, 8.5, 18]);
  });

  it('excludes KL if KL is a loss term (OpenRLHF#768: never both)', () => {
    expect([...tokenRewards(layout, [10, 20], null, 0.5)]).toEqual([0, 0, 10, 20]);
  });

  it('as a single reward per completion it is score - b KL', () => {
    expect([...sequenceRewards(layout, [10, 20], [1, 2, 3, 4], 0.5)]).toEqual([7, 18]);
  });

  it('reports a score or KL that is not finite', () => {
    expect(() => tokenRewards(layout, [1, Number.NaN], null, 0)).toThrow(
      /score of sequence 1 is NaN/,
    );
    expect(() => tokenRewards(layout, [1, 2], [0, 0, Number.POSITIVE_INFINITY, 0], 1)).toThrow(
      /KL of token 2 is Infinity/,
    );
    expect(() => tokenRewards(layout, [1], null, 0)).toThrow(/1 scores for 2 sequences/);
    expect(() => tokenRewards(layout, [1, 2], [0], 0)).toThrow(/1 KL values for 4 scored tokens/);
  });
});

describe('shapeScores', () => {
  const scores = [5, -7, 0.5];
  const ended = [true, false, false];

  it('subtracts the missing-EOS penalty after the clip, so that the clip cannot remove it', () => {
    const shaped = shapeScores(scores, ended, { clip: 2, missingEosPenalty: 1 });
    expect([...shaped]).toEqual([2, -3, -0.5]);
  });

  it('or replaces the score with it, on request (huggingface/trl#2012)', () => {
    const shaped = shapeScores(scores, ended, { missingEosPenalty: 1, missingEos: 'replace' });
    expect([...shaped]).toEqual([5, -1, -1]);
  });

  it('without a penalty a cut-off completion keeps its score', () => {
    expect([...shapeScores(scores, ended, { missingEos: 'replace' })]).toEqual(scores);
  });

  it('rejects a negative penalty, and a clip of 0', () => {
    expect(() => shapeScores(scores, ended, { missingEosPenalty: -1 })).toThrow(/got -1/);
    expect(() => shapeScores(scores, ended, { clip: 0 })).toThrow(/above 0, got 0/);
    expect(() => shapeScores(scores, [true], {})).toThrow(/1 end marks for 3 scores/);
    expect(() => shapeScores([Number.NaN], [true], {})).toThrow(/score of sequence 0 is NaN/);
  });
});
