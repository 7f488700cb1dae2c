import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openSafetensors } from '../formats/safetensors.ts';
import { generateAll } from '../generation/generate.ts';
import type { LanguageModel } from '../language-model.ts';
import { loadModel } from '../load-model.ts';
import { BatchBuilder } from '../packed-batch.ts';
import { tinyTokenizerJson } from '../tokenizer/testing/tiny-tokenizer.ts';
import { tinyConfigs, writeTinyModel } from './fixtures/tiny-models.ts';

const root = mkdtempSync(join(tmpdir(), 'keel-finite-'));
afterAll(() => rmSync(root, { recursive: true }));

let folder = '';
let weights = '';
let made = 0;
beforeEach(() => {
  folder = join(root, String(made++));
  writeTinyModel(folder, { ...tinyConfigs.llama!, vocab_size: 280 });
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tinyTokenizerJson()));
  weights = join(folder, 'model.safetensors');
});

const load = (): Promise<LanguageModel> => loadModel(folder, { device: 'cpu', precision: 'fp32' });

const score = (model: LanguageModel): number[] => {
  const builder = new BatchBuilder();
  builder.add([5, 6, 7]);
  const scored = { rows: Int32Array.of(0, 1), targets: Int32Array.of(6, 7) };
  return model.scoreTokens(builder.build(), scored).logprobs.toArray() as number[];
};

function writeNumber(tensor: string, value: number): void {
  using file = openSafetensors(weights);
  const { position } = file.place(tensor);
  const bytes = readFileSync(weights);
  bytes.writeFloatLE(value, position + 4);
  writeFileSync(weights, bytes);
}

describe('a weight that is not finite', () => {
  it.each([
    ['model.norm.weight', Number.NaN],
    ['model.layers.1.mlp.down_proj.weight', Number.POSITIVE_INFINITY],
    ['lm_head.weight', Number.NaN],
  ])('is named when it is first used: %s', async (tensor, value) => {
    writeNumber(tensor, value);
    using model = disposable(await load());
    expect(() => score(model)).toThrow(`tensor "${tensor}": contains NaN or infinite`);
    await expect(generateAll(model, [[5, 6]], { maxNewTokens: 2, temperature: 0 })).rejects.toThrow(
      `tensor "${tensor}": contains NaN or infinite`,
    );
  });
});

const disposable = (model: LanguageModel): LanguageModel & Disposable =>
  Object.assign(model, { [Symbol.dispose]: () => model.dispose() });

describe('a file of weights that changes while it is mapped', () => {
  it('is refused if it was modified, before and after the computation', async () => {
    using model = disposable(await load());
    score(model);
    const file = openSync(weights, 'r+');
    writeSync(file, Buffer.alloc(4), 0, 4, readFileSync(weights).length - 4);
    closeSync(file);
    expect(() => score(model)).toThrow(/model\.safetensors: was modified/);
  });

  it('is refused if it was truncated', async () => {
    using model = disposable(await load());
    truncateSync(weights, 4096);
    expect(() => score(model)).toThrow(/model\.safetensors: has .* truncated/);
  });

  it('may be replaced by another of the same name: the mapping stays', async () => {
    using model = disposable(await load());
    const before = score(model);
    writeFileSync(`${weights}.new`, 'other');
    renameSync(`${weights}.new`, weights);
    expect(score(model)).toEqual(before);
  });
});
