import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenPath } from '@keel/torch/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { MetricsLog } from '../runs/metrics.ts';
import { planRecipe } from './plan-recipe.ts';
import { readRecipe } from './read-recipe.ts';
import { runRecipe } from './run-recipe.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-estimate-'));
afterAll(() => rmSync(folder, { recursive: true }));
const rowsOf = (name: string): string => `${goldenPath(`trajectories/${name}`)}/train.jsonl`;

const recipe = (stages: string) => {
  const path = join(folder, 'recipe.yaml');
  const defaults = `{model: ${goldenPath('tiny-chat')}, precision: fp32, batch_size: 4}`;
  writeFileSync(path, `output: ${folder}/run\ndefaults: ${defaults}\nstages:\n${stages}`);
  return readRecipe(path);
};

describe('the estimate of a stage', () => {
  test('counts the tokens that the run then processes', async () => {
    const one = recipe(`  sft: {data: ${rowsOf('sft-completion-only')}, lora: true}\n`);
    const { stages } = await planRecipe(one);
    await runRecipe(one);
    const [planned] = stages;
    const last = MetricsLog.read(join(folder, 'run/sft/metrics.jsonl')).at(-1)!;
    expect(planned!.estimate).toMatchObject({
      rows: 16,
      steps: last.step,
      tokens: last.num_tokens,
    });
    expect((await planRecipe(one)).stages[0]).toMatchObject({
      state: { status: 'done' },
      estimate: null,
    });
  });

  test('grows with computation and memory', async () => {
    const data = `data: ${rowsOf('kto')}`;
    const pairs = `data: ${rowsOf('dpo-sigmoid')}`;
    const { stages } = await planRecipe(
      recipe(
        `  kto: {${data}, lora: true}
  bco: {verb: kto, loss: bco, ${data}, lora: true}
  simpo: {verb: dpo, loss: simpo, ${pairs}, lora: true}
  dpo: {${pairs}, lora: true}
  full: {verb: dpo, ${pairs}}
  longer: {verb: dpo, ${pairs}, epochs: 3, eval_data: ${rowsOf('dpo-sigmoid')}}
`,
      ),
    );
    const [kto, bco, simpo, dpo, full, longer] = stages.map(({ estimate }) => estimate!);
    expect(kto!.seconds).toBeGreaterThan(bco!.seconds);
    expect(dpo!.seconds).toBeGreaterThan(simpo!.seconds);
    expect(full!.seconds).toBeGreaterThan(dpo!.seconds);
    expect(longer!.tokens).toBe(3 * full!.tokens);
    expect(longer!.seconds).toBeGreaterThan(2.5 * full!.seconds);
    expect(longer!.evalRows).toBe(16);
  });

  test('counts the pairs made from rankings, and those of them that are trained on', async () => {
    const data = join(folder, 'rankings.jsonl');
    const row = { prompt: 'hello', completions: ['a bird', 'no', 'tell me'], scores: [9, 5, 4] };
    writeFileSync(data, `${JSON.stringify(row)}\n`.repeat(4));
    const usual = `data: ${data}, ranking_pairs: all, verb: dpo`;
    const one = recipe(
      `  all: {${usual}, lora: true}
  sure: {${usual}, lora: true, min_score_gap: 2}
  short: {${usual}, lora: true, max_steps: 1}
`,
    );
    const { stages } = await planRecipe(one);
    const [all, sure, short] = stages.map(({ estimate }) => estimate!);
    // 12 pairs, 4 of which have scores that differ by 1.
    expect(all).toMatchObject({ rows: 12, steps: 3 });
    expect(sure).toMatchObject({ rows: 8, steps: 2 });
    expect(short).toMatchObject({ rows: 12, steps: 1 });
    expect(short!.tokens).toBeCloseTo(all!.tokens / 3, -1);
    expect(short!.seconds).toBeLessThan(all!.seconds / 2);
    await runRecipe(one);
    const metrics = MetricsLog.read(join(folder, 'run/all/metrics.jsonl'));
    expect(metrics.at(-1)).toMatchObject({ step: 3 });
  });

  test('counts rows mixed into the steps', async () => {
    const prompts = join(folder, 'prompts.jsonl');
    writeFileSync(prompts, '{"prompt": "hello"}\n'.repeat(8));
    const usual = `data: ${prompts}, reward: 'length:-20', max_new_tokens: 4, verb: ppo`;
    const text = rowsOf('sft-completion-only');
    const { stages } = await planRecipe(
      recipe(`  alone: {${usual}}\n  mixed: {${usual}, pretraining_data: ${text}}\n`),
    );
    const [alone, mixed] = stages.map(({ estimate }) => estimate!);
    expect(mixed!.steps).toBe(alone!.steps);
    expect(mixed!.tokens).toBeGreaterThan(alone!.tokens);
    expect(mixed!.seconds).toBeGreaterThan(alone!.seconds);
  });
});
