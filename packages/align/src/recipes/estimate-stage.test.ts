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

describe.skipIf(!goldenPath('tiny-chat'))('the estimate of a stage', () => {
  test('counts the tokens that the run then computes on', async () => {
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

  test('grows with what is computed and held', async () => {
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
});
