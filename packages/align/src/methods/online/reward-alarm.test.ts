// A run whose reward pays for length and whose gold reward does not: its evaluations raise the alarm
// of an audit, and the run does what --on-alarm says.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, test } from 'vitest';
import type { SampleLine } from '../../runs/samples-log.ts';
import { cachedFolder } from '../../testing/cached-folder.ts';
import { metricsOf } from '../../testing/run-files.ts';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { type TrainGrpoOptions, trainGrpo } from '../grpo/grpo.ts';
import { gamingMetrics } from './gaming-metrics.ts';

const folder = cachedFolder();
const inside = (name: string): string => join(folder, name);
let runs = 0;

const write = (name: string, rows: readonly object[]): string => {
  writeFileSync(inside(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return inside(name);
};

let data: string;
let reward: string;
let gold: string;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  data = write(
    'prompts.jsonl',
    Array.from({ length: 16 }, (_, at) => ({
      prompt: [{ role: 'user', content: `hello ${'day '.repeat(at % 4)}${at}` }],
    })),
  );
  reward = inside('long.mjs');
  writeFileSync(reward, 'export default ({ text }) => text.length;\n');
  gold = inside('constant.mjs');
  writeFileSync(gold, 'export default () => 1;\n');
});

const optionsOf = (own: Partial<TrainGrpoOptions> = {}): TrainGrpoOptions => ({
  ...{ model: inside('model'), data: [data], evalData: [data], output: inside(`run-${runs++}`) },
  ...{ reward, gold, precision: 'fp32', learningRate: 2e-2, scheduler: 'constant' },
  ...{ batchSize: 4, numGenerations: 8, loraRank: 4, maxNewTokens: 12, maxSteps: 12 },
  ...{ evalSteps: 4, samplePrompts: null, threads: 1 },
  ...own,
});

const findingsOf = (run: string): { code: string; step: number; what: string }[] =>
  JSON.parse(readFileSync(join(run, 'health.json'), 'utf8')).findings;

const evaluationsOf = (run: string) =>
  metricsOf(run).filter(({ eval_gamed: gamed }) => gamed !== undefined);

describe('an online run with --gold', () => {
  it('stops at the first alarm, which its numbers, its health and its samples show', async () => {
    const options = optionsOf({ onAlarm: 'stop' });
    const notices: string[] = [];
    const result = await trainGrpo(options, {
      onEvent: (event) => event.type === 'notice' && notices.push(event.text),
    });
    const gamed = findingsOf(options.output).find(({ code }) => code === 'reward-gamed')!;
    expect(gamed.what).toContain('length');
    expect(notices.filter((text) => text.includes('--on-alarm'))).toHaveLength(1);
    expect(result).toMatchObject({ step: gamed.step, interrupted: false });
    expect(gamed.step).toBeLessThan(options.maxSteps!);
    const rows = evaluationsOf(options.output);
    expect(rows.map(({ eval_gamed: value }) => value)).toEqual([...rows.slice(1).map(() => 0), 1]);
    expect(rows.at(-1)).toMatchObject({ step: gamed.step, eval_gold: 1 });
    expect(rows.at(-1)!['eval_gaming/length']).toBeGreaterThan(0.2);
    const samples = readFileSync(join(options.output, 'samples.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as SampleLine);
    for (const { held_out: heldOut, gold: score } of samples)
      expect(score).toBe(heldOut === true ? 1 : undefined);
  });

  it('saves a checkpoint and continues, or only reports it', async () => {
    const [saving, warning] = [optionsOf({ onAlarm: 'checkpoint' }), optionsOf({})];
    for (const options of [saving, warning]) {
      const { step } = await trainGrpo(options);
      expect(step).toBe(options.maxSteps);
      expect(findingsOf(options.output).map(({ code }) => code)).toContain('reward-gamed');
    }
    const { step } = findingsOf(saving.output).find(({ code }) => code === 'reward-gamed')!;
    expect(existsSync(join(saving.output, 'checkpoints', `step-${step}`))).toBe(true);
    expect(existsSync(join(warning.output, 'checkpoints', `step-${step}`))).toBe(false);
  });

  it('has no alarm where gold is the reward', async () => {
    const options = optionsOf({ gold: reward, onAlarm: 'stop' });
    const { step } = await trainGrpo(options);
    expect(step).toBe(options.maxSteps);
    const rows = evaluationsOf(options.output);
    for (const row of rows) {
      expect(row.eval_gold).toBe(row.eval_reward);
      expect(row.eval_gamed).toBe(0);
    }
  });

  it('is refused without what it needs', async () => {
    const { evalData: _, ...without } = optionsOf();
    await expect(trainGrpo(without)).rejects.toThrow(/eval/i);
    const { gold: __, ...others } = optionsOf({ onAlarm: 'stop' });
    await expect(trainGrpo(others)).rejects.toThrow(/gold/i);
    const missing = optionsOf({ gold: inside('nowhere.mjs') });
    await expect(trainGrpo(missing)).rejects.toThrow(/nowhere\.mjs/);
    expect(existsSync(missing.output)).toBe(false);
  });
});

describe('gold that rose and then falls', () => {
  /** 24 answers with this gold reward and some noise; longer ones earn more. */
  const evaluation = (step: number, gold: number, words: number): SampleLine[] =>
    Array.from({ length: 24 }, (_, row) => ({
      ...{ step, row, held_out: true, prompt: `p${row}`, kl: null, ended: true, tokens: 1 },
      completion: Array.from({ length: words + (row % 4) }, (_, at) => `w${at}`).join(' '),
      reward: words + (row % 4),
      gold: gold + 0.2 * (((row * 7 + step / 10) % 5) - 2),
    }));

  it('is an alarm while it is still above the start, if the reward rises without it', () => {
    const rise = [...evaluation(0, 0, 5), ...evaluation(10, 2, 8), ...evaluation(20, 3, 12)];
    expect(gamingMetrics(write('rise.jsonl', rise))).toEqual({ gamed: 0 });
    const fall = write('fall.jsonl', [...rise, ...evaluation(30, 2, 20)]);
    expect(gamingMetrics(fall)).toMatchObject({ gamed: 1, gamed_since: 20 });
    const flat = write('flat.jsonl', [...rise, ...evaluation(30, 2.95, 20)]);
    expect(gamingMetrics(flat)).toMatchObject({ gamed: 1, gamed_since: 20 });
    // The reward rose little, so gold may have followed as much.
    const little = write('little.jsonl', [...rise, ...evaluation(30, 2.95, 12.5)]);
    expect(gamingMetrics(little)).toEqual({ gamed: 0 });
    const unexplained = write('short.jsonl', [...rise, ...evaluation(30, 2, 11)]);
    expect(gamingMetrics(unexplained)).toEqual({ gamed: 0 });
  });
});

test('the first evaluation has nothing to compare', () => {
  const line = { step: 0, row: 0, held_out: true, prompt: 'p', completion: 'a', reward: 1 };
  const path = write('samples.jsonl', [{ ...line, gold: 1, kl: null, ended: true, tokens: 1 }]);
  expect(gamingMetrics(path)).toEqual({ gamed: 0 });
});
