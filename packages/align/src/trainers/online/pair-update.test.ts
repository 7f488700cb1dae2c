import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setThreads } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyChatModel } from '../fixtures/tiny-chat-model.ts';
import { settingsOf } from './fixtures/settings-of.ts';
import { batchOf, firstStep, tinyOnline } from './fixtures/tiny-online.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-pairs-'));
beforeAll(() => void writeTinyChatModel(folder));
// Tiny tensors: a second thread would only wait.
setThreads(1);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('online DPO', () => {
  it('begins at ln 2, on the best and the worst answer to each prompt', async () => {
    const settings = settingsOf.onlineDpo({ numGenerations: 3 });
    using online = await tinyOnline(folder, {
      ...{ settings, type: 'float32' },
      settings: { ...settings, epochs: 2 },
    });
    const metrics = await online.task.step();
    expect(metrics.loss).toBeCloseTo(Math.LN2, 6);
    expect(metrics).toMatchObject({ 'rewards/margins': 0, 'objective/kl': 0 });
    const { layout, numbers } = batchOf(online);
    for (const sequences of layout.members().values()) {
      const lengths = sequences.map((one) => layout.lengthOf(one));
      const marks = sequences.map((one) => numbers.advantages[layout.offsets[one]!]!);
      const tied = new Set(lengths).size === 1;
      expect(marks.map(Math.abs).reduce((sum, one) => sum + one)).toBe(tied ? 0 : 2);
      if (tied) continue;
      // The reward is for brevity.
      expect(lengths[marks.indexOf(1)]).toBe(Math.min(...lengths));
      expect(lengths[marks.indexOf(-1)]).toBe(Math.max(...lengths));
    }
  });

  it('leaves out, and counts, pairs whose rewards are less apart than it was told', async () => {
    const own = { numGenerations: 3, numIterations: 2 };
    const gapsAt = async (minScoreGap: number | null) => {
      const settings = settingsOf.onlineDpo({ ...own, minScoreGap });
      using online = await tinyOnline(folder, { settings });
      const metrics = await online.task.step();
      const { layout } = batchOf(online);
      const gaps = [...layout.members().values()].flatMap((sequences) => {
        const marked = (mark: number) =>
          sequences.find((one) => batchOf(online).mark(one) === mark);
        const [chosen, rejected] = [marked(1), marked(-1)];
        if (chosen === undefined) return [];
        return [layout.lengthOf(rejected!) - layout.lengthOf(chosen)];
      });
      return { gaps, left: metrics['pairs/below_gap'] };
    };
    const all = await gapsAt(null);
    expect(all.left).toBeUndefined();
    expect(new Set(all.gaps).size).toBeGreaterThan(1);
    const most = Math.max(...all.gaps);
    const wide = all.gaps.filter((gap) => gap >= most);
    expect(await gapsAt(most)).toEqual({ gaps: wide, left: all.gaps.length - wide.length });
  });

  it('makes no step where all answers are equally good', async () => {
    const settings = settingsOf.onlineDpo();
    const { found, metrics } = await firstStep(folder, { settings, reward: () => 1 });
    expect([...found.values()].every((one) => one === null)).toBe(true);
    expect(metrics).toMatchObject({ loss: 0, frac_reward_zero_std: 1 });
  });
});
