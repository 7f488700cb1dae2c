import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainReward } from '../methods/reward/run-reward.ts';
import { RewardModel } from '../rewards/reward-model.ts';
import { readRewardRecord } from '../rewards/reward-record.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { tinyRun } from '../testing/tiny-run.ts';
import { averageModels } from './average-adapters.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-average-'));
const inside = (name: string): string => join(folder, name);
const pairs = tinyRows(6);
const rows = pairs.map(({ prompt, chosen }) => ({ prompt, completion: chosen }));
const average = (adapters: string[], output: string, own = {}) =>
  averageModels({ model: inside('model'), adapters, output: inside(output), ...own });

beforeAll(async () => {
  writeTinyChatModel(inside('model'));
  const data = [writeRowsFile(folder, pairs)];
  const usual = { model: inside('model'), data, ...tinyRun, lora: true, loraRank: 4 };
  for (const [name, own] of [
    ['one', { seed: 1 }],
    ['two', { seed: 2 }],
    ['heads', { heads: 2 }],
    ['plain', { normalise: 'none' as const }],
  ] as const) {
    await trainReward({ ...usual, ...own, maxSteps: 3, output: inside(name) });
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scores = async (path: string): Promise<number[]> => {
  using rewards = await RewardModel.open(path, { precision: 'fp32', device: 'cpu' });
  return (await rewards.scoreRows(rows)).map(({ score }) => score);
};

describe('the mean of reward models', () => {
  it('is a reward model of the sum of the ranks, with the mean of normalisations', async () => {
    const before = await liveMemory();
    const found = await average([inside('one'), inside('two')], 'mean');
    expect(await liveMemory()).toEqual(before);
    expect(found).toEqual({ output: inside('mean'), members: 2, kind: 'reward model' });
    const config = JSON.parse(readFileSync(inside('mean/adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({ r: 8, lora_alpha: 8, task_type: 'SEQ_CLS' });
    const [one, two, mean] = ['one/final', 'two/final', 'mean'].map(
      (name) => readRewardRecord(inside(name))!.normalisation!.heads[0]!.mean,
    );
    expect(mean).toBeCloseTo((one! + two!) / 2, 12);
    expect(existsSync(inside('mean/README.md'))).toBe(true);
    const [first, second, own] = await Promise.all(
      ['one/final', 'two/final', 'mean'].map((name) => scores(inside(name))),
    );
    // Not the mean of scores, but between or near those of the members for small changes.
    for (const [at, score] of own!.entries()) {
      const between = (first![at]! + second![at]!) / 2;
      expect(Math.abs(score - between)).toBeLessThan(1);
    }
    expect(own).not.toEqual(first);
  });

  it('of equal members is that member', async () => {
    await average([inside('one'), inside('one/final')], 'same');
    const [one, same] = [await scores(inside('one/final')), await scores(inside('same'))];
    for (const [at, score] of one.entries()) expect(same[at]).toBeCloseTo(score, 4);
  });

  it('refuses members that do not go together, and a folder that is taken', async () => {
    await expect(average([inside('one'), inside('heads')], 'x')).rejects.toThrow(
      /1 heads.*2 heads/,
    );
    await expect(average([inside('one'), inside('plain')], 'x')).rejects.toThrow(/reward\.json/);
    expect(existsSync(inside('x'))).toBe(false);
    await average([inside('one'), inside('two')], 'taken');
    await expect(average([inside('one'), inside('two')], 'taken')).rejects.toThrow(/--overwrite/);
    await average([inside('one'), inside('two')], 'taken', { overwrite: true });
    await expect(
      average([inside('one'), inside('two')], 'model', { overwrite: true }),
    ).rejects.toThrow(/nor the folder of an adapter/);
  });
});
