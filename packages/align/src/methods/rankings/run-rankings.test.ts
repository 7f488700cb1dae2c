// `keel dpo` on rankings: whole rankings, and their pairs.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RankingRow } from '../../data/rows.ts';
import { cachedFolder } from '../../testing/cached-folder.ts';
import { expectSameRun, metricsOf } from '../../testing/run-files.ts';
import { stopping } from '../../testing/stopping.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { writeJudged } from '../../testing/tiny-judged.ts';
import { tinyRun } from '../../testing/tiny-run.ts';
import { type AlignPairsOptions, alignPairs, type PairedRunHooks } from '../dpo/run-dpo.ts';

const folder = cachedFolder({ each: true });
const inside = (name: string): string => join(folder, name);
let data: string;
let runs = 0;

/** Rankings of 3 and 2 answers, with scores; every fourth has a tie. */
const rankings = (count: number): RankingRow[] =>
  tinyRows(count).map(({ prompt, chosen, rejected }, at) => {
    const third = typeof prompt === 'string' ? 'wo' : [{ role: 'assistant', content: 'wo' }];
    const completions = at % 3 === 2 ? [chosen, rejected] : [rejected, chosen, third];
    const scores = at % 3 === 2 ? [2, 1] : at % 4 === 0 ? [1, 3, 1] : [2, 3, 1];
    return { prompt, completions, scores, ranks: scores.map((one) => 4 - one), extra: {} };
  });

function file(name: string, rows: readonly RankingRow[]): string {
  const lines = rows.map(({ prompt, completions, scores }) => ({ prompt, completions, scores }));
  writeFileSync(inside(name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return inside(name);
}

beforeAll(() => {
  writeTinyChatModel(inside('model'));
  data = file('rankings.jsonl', rankings(10));
});

const optionsOf = (own: Partial<AlignPairsOptions> = {}): AlignPairsOptions => ({
  model: inside('model'),
  data: [data],
  output: inside(`run-${runs++}`),
  ...tinyRun,
  maxSteps: 3,
  ...own,
});
const lora = { lora: true, loraRank: 4 };

async function align(options: AlignPairsOptions, hooks: PairedRunHooks = {}) {
  const notices: string[] = [];
  const result = await alignPairs(options, {
    ...hooks,
    onEvent(event) {
      if (event.type === 'notice') notices.push(event.text);
      hooks.onEvent?.(event);
    },
  });
  return { result, notices };
}
const steps = (run: string) => metricsOf(run).filter(({ loss }) => loss !== undefined);

describe('--loss plackett_luce', () => {
  const whole = { loss: ['plackett_luce'] };

  it('starts at the log of the number of orders, and learns them', async () => {
    const before = await liveMemory();
    const three = file(
      'three.jsonl',
      rankings(9).filter(({ scores }) => new Set(scores).size === 3),
    );
    const own = { ...whole, ...lora, data: [three], evalData: [three] };
    const { result } = await align(optionsOf({ ...own, maxSteps: 20 }));
    expect(await liveMemory()).toEqual(before);
    const logged = steps(result.path);
    expect(logged[0]!.loss).toBeCloseTo(Math.log(6), 6);
    expect(logged[0]).toMatchObject({ 'rewards/margins': 0, answers_per_ranking: 3 });
    expect(logged[0]).not.toHaveProperty('beta');
    const held = metricsOf(result.path).filter((row) => 'eval_loss' in row);
    expect(held.at(-1)!.eval_loss).toBeLessThan(held[0]!.eval_loss! as number);
    expect(held.at(-1)!['eval_rewards/accuracies']).toBeGreaterThan(0.6);
    expect(readFileSync(join(result.path, 'report.html'), 'utf8')).toMatch(/best answer/);
  });

  it('is DPO on rankings of two, and accepts pairs as rankings', async () => {
    const pairs = writeRowsFile(folder, tinyRows(10));
    const shape = { ...lora, data: [pairs], maxSteps: 4 };
    const ranked = await align(optionsOf({ ...shape, ...whole }));
    const paired = await align(optionsOf(shape));
    const [ours, theirs] = [steps(ranked.result.path), steps(paired.result.path)];
    for (const [at, row] of theirs.entries()) {
      for (const name of ['loss', 'rewards/margins', 'rewards/accuracies', 'grad_norm']) {
        const [one, other] = [ours[at]![name] as number, row[name] as number];
        // float32: the size of a number limits how close two sums of other orders are.
        const close = 5e-6 * Math.max(1, Math.abs(other));
        expect(Math.abs(one - other), `${name} of step ${at + 1}`).toBeLessThan(close);
      }
    }
  });

  it.each([
    ['LoRA', lora],
    ['full, its reference from the cache', { betaSchedule: 'cosine' as const, betaFinal: 0.02 }],
  ])('resumes bit for bit: %s', async (_, own) => {
    const shape = { ...whole, ...own, evalData: [data], evalSteps: 2, saveSteps: 2, maxSteps: 5 };
    const undisturbed = optionsOf(shape);
    await align(undisturbed);
    const broken = optionsOf(shape);
    await align(broken, stopping(3));
    const { result, notices } = await align({ ...broken, resume: true });
    expect(result.step).toBe(5);
    expectSameRun(broken.output, undisturbed.output);
    expect(notices.join().includes('from the cache')).toBe(!('lora' in own));
  });

  it('has the same gradient however a step is divided into passes', async () => {
    const norms: number[][] = [];
    for (const microBatchSize of [1, 3, 4]) {
      const own = { ...whole, ...lora, microBatchSize, maxSteps: 2 };
      const { result } = await align(optionsOf(own));
      norms.push(steps(result.path).map((row) => row.grad_norm as number));
    }
    for (const other of norms.slice(1)) {
      for (const [at, norm] of other.entries()) expect(norm).toBeCloseTo(norms[0]![at]!, 4);
    }
  });

  it('refuses rows that are not rankings before a model is loaded', async () => {
    const steps_ = writeJudged(folder, [
      { prompt: 'q', completions: ['a', 'b'], labels: [true, false], extra: {} },
    ]);
    const ties = file('ties.jsonl', [
      { prompt: 'q', completions: ['a', 'b'], ranks: [1, 1], scores: [2, 2], extra: {} },
    ]);
    const missing = { ...whole, model: inside('no-model') };
    await expect(align(optionsOf({ ...missing, data: [steps_] }))).rejects.toThrow(
      /expected a ranking of answers, or a pair, found the steps of one answer/,
    );
    await expect(align(optionsOf({ ...missing, data: [ties] }))).rejects.toThrow(
      /ties\.jsonl:1: field "scores": .* found only ties/,
    );
    await expect(align(optionsOf({ ...missing, rankingPairs: 'all' }))).rejects.toThrow(
      /rankingPairs: .*loss plackett_luce/s,
    );
    await expect(align(optionsOf({ ...missing, reference: 'none' }))).rejects.toThrow(
      /reference none/,
    );
  });
});

describe('--ranking-pairs', () => {
  it('trains on the pairs of rankings, with their scores', async () => {
    const own = { ...lora, rankingPairs: 'all' as const, loss: ['odpo'], maxSteps: null };
    const { result, notices } = await align(optionsOf({ ...own, evalData: [data] }));
    // Rows 2, 5 and 8 have one pair, rows 0 and 4 a tie and hence two, the other five three.
    expect(notices).toContain('22 pairs of 10 rankings (--ranking-pairs all)');
    expect(result.step).toBe(Math.ceil(22 / 4));
  });

  it('and --min-score-gap skips pairs with close scores', async () => {
    const own = { ...lora, rankingPairs: 'all' as const, minScoreGap: 2 };
    const { notices } = await align(optionsOf(own));
    expect(notices.join()).toMatch(/13 of 22 pairs of .*--min-score-gap 2/);
    await expect(align(optionsOf({ ...own, minScoreGap: 9 }))).rejects.toThrow(
      /--min-score-gap 9: .*22 pairs of .*rankings\.jsonl/,
    );
    const unscored = { ...lora, data: [writeRowsFile(folder, tinyRows(4))], minScoreGap: 1 };
    await expect(align(optionsOf(unscored))).rejects.toThrow(
      /:1: field "score_chosen": expected scores of both answers, by which --min-score-gap chooses/,
    );
  });

  it('is suggested when a paired trainer reads rankings', async () => {
    const options = optionsOf({ model: inside('no-model') });
    await expect(align(options)).rejects.toThrow(
      /rankings\.jsonl:1: .*rankings.*--ranking-pairs all.*--loss plackett_luce/,
    );
    expect(existsSync(options.output)).toBe(false);
  });
});
