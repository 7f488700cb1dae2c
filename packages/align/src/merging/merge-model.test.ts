import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LanguageModel, loadModel } from '@keel/model';
import { noGrad, tidy } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RewardModel } from '../rewards/reward-model.ts';
import { writeTinyAdapter } from '../testing/tiny-adapter.ts';
import { writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { type MergeEvent, mergeModel } from './merge-model.ts';
import { compareProbes, probeOf } from './probe.ts';

let folder = '';
let base = '';
const inside = (...parts: string[]): string => join(folder, ...parts);

const makeAdapter = (name: string, head = false): Promise<string> =>
  writeTinyAdapter(inside(name), base, { head });

const options = (output: string, more: object = {}) => ({
  ...{ model: base, adapter: null, output: inside(output), dtype: 'auto' as const },
  ...more,
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keel-merge-'));
  base = writeTinyChatModel(inside('base'));
  await makeAdapter('adapter');
  await makeAdapter('reward', true);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('mergeModel', () => {
  it('writes what base and adapter compute, and reports the difference', async () => {
    const events: MergeEvent[] = [];
    const asked = options('merged', { adapter: inside('adapter') });
    const result = await mergeModel(asked, (event) => events.push(event));
    expect(result).toMatchObject({ dtype: 'fp32', kind: 'language model', output: asked.output });
    expect(result.difference.kl).toBeLessThan(1e-6);
    expect(result.difference.sameTop!.count).toBe(result.difference.sameTop!.of);
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set(['loading', 'writing', 'checking']),
    );
    const [before, after] = await probes(base, asked.output);
    expect(compareProbes(before, after).kl).toBeGreaterThan(1e-3);
    expect(readdirSync(asked.output)).toEqual(
      expect.arrayContaining(['README.md', 'config.json', 'generation_config.json', 'keel.json']),
    );
  });

  it.each(['bf16', 'fp16'] as const)('rounds to %s only at the end', async (dtype) => {
    const asked = options(dtype, { adapter: inside('adapter'), dtype });
    const { difference, bytes } = await mergeModel(asked);
    expect(difference.kl).toBeGreaterThan(0);
    expect(difference.kl).toBeLessThan(1e-2);
    const { torch_dtype } = JSON.parse(readFileSync(inside(dtype, 'config.json'), 'utf8'));
    expect(torch_dtype).toBe(dtype === 'bf16' ? 'bfloat16' : 'float16');
    expect(bytes).toBeGreaterThan(1000);
  });

  it("keeps a reward adapter's head, and gives its scores", async () => {
    const result = await mergeModel(options('scores', { adapter: inside('reward') }));
    expect(result).toMatchObject({ kind: 'reward model', difference: { kl: null } });
    const rows = [{ prompt: 'hello', completion: ' world' }];
    const scores: number[] = [];
    for (const path of [inside('reward'), result.output]) {
      using model = await RewardModel.open(path, { precision: 'fp32' });
      scores.push((await model.scoreRows(rows))[0]!.score);
    }
    expect(scores[1]).toBeCloseTo(scores[0]!, 4);
  });

  it('refuses a folder that is not empty, also with overwrite if it is not a model', async () => {
    await mergeModel(options('taken'));
    await expect(mergeModel(options('taken'))).rejects.toThrow(/taken.*--overwrite/);
    await mergeModel(options('taken', { overwrite: true }));
    mkdirSync(inside('notes'));
    writeFileSync(inside('notes', 'todo.md'), 'x');
    await expect(mergeModel(options('notes', { overwrite: true }))).rejects.toThrow(/todo\.md/);
    await expect(mergeModel({ ...options('x'), output: base, overwrite: true })).rejects.toThrow(
      /--output/,
    );
    await expect(mergeModel({ ...options('x'), output: folder, overwrite: true })).rejects.toThrow(
      /--output/,
    );
  });

  it('reports an adapter that was trained on another base of the same shape', async () => {
    const other = writeTinyChatModel(inside('other-base'), 2);
    const notices: string[] = [];
    await mergeModel(options('mixed', { model: other, adapter: inside('adapter') }), (event) => {
      if (event.type === 'notice') notices.push(event.text);
    });
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain(base);
    expect(notices[0]).toContain(other);
  });

  it('writes the base alone and names it in the adapter, except in a recipe', async () => {
    const adapter = await makeAdapter('own/stage/final');
    await mergeModel(options('own-base', { adapter, baseOnly: true }));
    const config = JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({ base_model_name_or_path: inside('own-base'), revision: null });
    const [before, after] = await probes(base, inside('own-base'));
    expect(compareProbes(before, after).kl).toBe(0);
    writeFileSync(inside('own', 'stages.json'), '{}');
    const again = options('second-base', { adapter, baseOnly: true });
    await expect(mergeModel(again)).rejects.toThrow(/stage\/final/);
    expect(existsSync(again.output)).toBe(false);
  });
});

describe('compareProbes', () => {
  it('finds a single changed weight', async () => {
    const model = await loadModel(base, { precision: 'fp32', trainable: true });
    const before = probeOf(model, 'reference');
    tidy(() => noGrad(() => void model.decoder.weights.finalNorm.weight.select(0, 0).add_(0.5)));
    const { kl } = compareProbes(before, probeOf(model, 'reference'));
    expect(kl).toBeGreaterThan(1e-5);
    model.dispose();
  });

  it('is the KL divergence of the distributions, averaged over the tokens', () => {
    const probe = (shares: number[][]) => ({
      ...{ tokens: shares.map(() => 0), rows: shares.length, scores: false },
      values: Float32Array.from(shares.flat().map(Math.log)),
    });
    const [one, two] = [
      probe([
        [0.5, 0.5],
        [0.9, 0.1],
      ]),
      probe([
        [0.25, 0.75],
        [0.9, 0.1],
      ]),
    ];
    const { kl, sameTop } = compareProbes(one, two);
    expect(kl).toBeCloseTo((0.5 * Math.log(2) + 0.5 * Math.log(2 / 3)) / 2, 6);
    expect(sameTop).toEqual({ count: 1, of: 2 });
  });
});

async function probes(...folders: [string, string]) {
  const found = [];
  for (const one of folders) {
    const model: LanguageModel = await loadModel(one, { precision: 'fp32' });
    found.push(probeOf(model, 'reference'));
    model.dispose();
  }
  return found as [(typeof found)[0], (typeof found)[0]];
}
