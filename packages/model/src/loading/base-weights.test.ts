import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ops, type Tensor, tidy, withSeed } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addLora } from '../adapters/lora.ts';
import type { Decoder } from '../decoder.ts';
import type { GgufFileType } from '../exporting/gguf-types.ts';
import { ggufModel } from '../exporting/write-gguf-model.ts';
import { generateAll } from '../generation/generate.ts';
import { LanguageModel } from '../language-model.ts';
import { loadModel } from '../load-model.ts';
import { BatchBuilder } from '../packed-batch.ts';
import { tinyTokenizerJson, tinyTokens } from '../tokenizer/testing/tiny-tokenizer.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { type BasePrecision, heldBytes } from './base-weights.ts';
import { logitValues } from './fixtures/forward.ts';
import { randomTensors, tinyConfigs, writeTinyModel } from './fixtures/tiny-models.ts';
import { loadDecoder } from './load-decoder.ts';
import { linearLayers, namedWeights } from './named-weights.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-base-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// More than the rows that have products of their own in bfloat16.
const long = Array.from({ length: 150 }, (_, index) => (7 * index) % tinyTokens.length);
const sequences = [long, [20, 3, 40]];
const sizes = {
  ...{ vocab_size: tinyTokens.length, hidden_size: 64, intermediate_size: 128, head_dim: 16 },
  ...{ max_position_embeddings: 256, eos_token_id: 0, bos_token_id: null },
};
const factors = (one: number): number[] => Array<number>(8).fill(one);
const own: Record<string, Record<string, unknown>> = {
  gemma2: { ...sizes, query_pre_attn_scalar: 16 },
  phi3: {
    ...sizes,
    original_max_position_embeddings: 200,
    rope_scaling: { type: 'longrope', short_factor: factors(1.5), long_factor: factors(2) },
  },
  gpt2: { vocab_size: tinyTokens.length, n_embd: 64, n_inner: 128, n_positions: 256 },
};
const tokenizer = (): Tokenizer =>
  new Tokenizer({
    source: 'tiny',
    json: tinyTokenizerJson(),
    config: { eos_token: '<|end|>', pad_token: '<|pad|>' },
    chatTemplates: { default: "{{ messages[0]['content'] }}" },
  });

function writeFolder(family: string): string {
  const json = { ...tinyConfigs[family], ...(own[family] ?? sizes) };
  const path = join(folder, family);
  writeTinyModel(path, json, randomTensors(json, 3));
  tokenizer().save(path);
  return path;
}

/** A GGUF file of a random model. */
async function writeFile(family: string, type: GgufFileType): Promise<string> {
  const source = writeFolder(family);
  const { decoder, configJson } = await loadDecoder(source, { computeType: 'float32' });
  const model = new LanguageModel({
    ...{ decoder, configJson, tokenizer: tokenizer(), device: 'cpu', name: source },
    hash: async () => 'ab',
  });
  const lineage = {
    ...{ name: 'tiny', license: null, methods: [], adapterSha256: null },
    base: { name: 'tiny', repository: null, sha256: 'ab' },
  };
  const path = join(folder, `${family}-${type}.gguf`);
  ggufModel(model, { type, lineage }).write(path);
  model.dispose();
  return path;
}

const open = (path: string, precision: 'fp32' | 'bf16', basePrecision: BasePrecision | 'auto') =>
  loadModel(path, { precision, basePrecision, device: 'cpu', weightCache: false });

const isQuantised = ({ weight }: { weight: Tensor }): boolean => ops.isQuantised(weight);
const bytesOf = (decoder: Decoder): number =>
  [...namedWeights(decoder).values()].reduce((sum, weight) => sum + heldBytes(weight), 0);

/** The gradients of a new adapter for the sum of some log-probabilities. */
function gradients(model: LanguageModel): number[] {
  const shape = { rank: 2, alpha: 8, targets: 'all-linear', seed: 3 } as const;
  const parameters = addLora(model.decoder, 'a', shape);
  return tidy(() => {
    withSeed(1, () => {
      for (const one of parameters.values()) one.detach().normal_(0, 0.1);
    });
    const builder = new BatchBuilder();
    for (const tokens of sequences) builder.add(tokens);
    const scored = {
      rows: Int32Array.from({ length: 140 }, (_, index) => index),
      targets: Int32Array.from(long.slice(1, 141)),
    };
    // With all that a pass can compute from the head.
    const options = { entropyGradient: true, collision: true };
    model.as('a', () => {
      const found = model.scoreTokens(builder.build(), scored, options);
      found.logprobs.sum().add(found.entropy.sum()).backward();
      expect(found.collision!.max().item()).toBeLessThan(0);
    });
    return [...parameters.values()].flatMap(({ grad }) => grad!.reshape(-1).toArray() as number[]);
  });
}

describe('a GGUF file whose weights are kept', () => {
  it.each<[string, GgufFileType]>([
    ...(['q4_0', 'q4_1', 'q5_0', 'q5_1', 'q8_0', 'f16'] as const).map(
      (type): [string, GgufFileType] => ['llama', type],
    ),
    ...['qwen2', 'gemma2', 'phi3', 'gpt2'].map((family): [string, GgufFileType] => [
      family,
      'q4_0',
    ]),
  ])('%s in %s: logits and gradients are those of its expanded weights', async (family, type) => {
    const path = await writeFile(family, type);
    for (const precision of ['fp32', 'bf16'] as const) {
      const [kept, whole] = [
        await open(path, precision, 'kept'),
        await open(path, precision, 'auto'),
      ];
      expect(linearLayers(kept.decoder).every(isQuantised)).toBe(true);
      expect(logitValues(kept.decoder, sequences)).toEqual(logitValues(whole.decoder, sequences));
      expect(gradients(kept)).toEqual(gradients(whole));
      expect(bytesOf(kept.decoder)).toBeLessThan(
        bytesOf(whole.decoder) / (type === 'f16' ? 0.9 : 1.5),
      );
      const sampling = { temperature: 0, maxNewTokens: 12, stopTokenIds: [] };
      const [one, other] = await Promise.all(
        [kept, whole].map((model) => generateAll(model, sequences, sampling)),
      );
      if (precision === 'fp32') expect(one).toEqual(other);
      for (const model of [kept, whole]) model.dispose();
    }
  });
});

describe('a folder whose weights are held otherwise', () => {
  it('in NF4: only linear layers, near the weights, in about a fourth of the memory', async () => {
    const path = writeFolder('llama');
    const [held, whole] = [await open(path, 'bf16', 'nf4'), await open(path, 'bf16', 'auto')];
    expect(linearLayers(held.decoder).every(isQuantised)).toBe(true);
    expect(ops.isQuantised(held.decoder.weights.embedding)).toBe(false);
    const [one, other] = [held, whole].map(({ decoder }) => linearLayers(decoder));
    for (const [index, { weight }] of one!.entries()) {
      const own = other![index]!.weight;
      const error = tidy(() => ops.dequantise(weight).sub(own).to('float32').pow(2).mean().item());
      const size = tidy(() => own.to('float32').pow(2).mean().item());
      // QLoRA's data type has a relative error of about 0.1 on normal weights.
      expect(Math.sqrt(error / size)).toBeLessThan(0.12);
    }
    const linears = (decoder: Decoder): number =>
      linearLayers(decoder).reduce((sum, { weight }) => sum + heldBytes(weight), 0);
    // Matrices this small share too few scales for 4.13 bits a weight.
    expect(linears(held.decoder)).toBeLessThan(0.5 * linears(whole.decoder));
    expect(held.basePrecision).toBe('nf4');
    for (const model of [held, whole]) model.dispose();
  });

  it('in NF4 with an adapter: 200 answers at once are those of 20 at once', async () => {
    const model = await open(writeFolder('llama'), 'bf16', 'nf4');
    const shape = { rank: 4, alpha: 8, targets: 'all-linear', seed: 3 } as const;
    withSeed(1, () => {
      for (const one of addLora(model.decoder, 'a', shape).values()) one.detach().normal_(0, 0.1);
    });
    const sampling = { samplesPerPrompt: 200, maxNewTokens: 4, stopTokenIds: [], adapter: 'a' };
    const answers = (batchSize: number) =>
      generateAll(model, [sequences[1]!], { ...sampling, batchSize, seed: 5 });
    const [many, few] = [await answers(200), await answers(20)];
    const tokens = (all: typeof many): string[] => all.map((one) => one.tokens.join(' '));
    expect(tokens(many)).toEqual(tokens(few));
    model.dispose();
  });

  it('in bf16, products in float32 see rounded weights', async () => {
    const path = writeFolder('llama');
    const [held, whole] = [await open(path, 'fp32', 'bf16'), await open(path, 'fp32', 'auto')];
    const [one, other] = [held, whole].map(({ decoder }) => linearLayers(decoder)[0]!.weight);
    const [rounded, found] = tidy(() => [
      other!.to('bfloat16').to('float32').toArray(),
      ops.dequantise(one!).toArray(),
    ]);
    expect(found).toEqual(rounded);
    for (const model of [held, whole]) model.dispose();
  });

  it('in NF4, from linear layers that are stored transposed', async () => {
    const path = writeFolder('gpt2');
    const [held, whole] = [await open(path, 'fp32', 'nf4'), await open(path, 'fp32', 'auto')];
    const [one, other] = [held, whole].map(({ decoder }) => linearLayers(decoder)[0]!.weight);
    const [found, wanted] = tidy(() => {
      const [bytes, scales] = ops.quantiseNf4(other!);
      const own = ops.quantised(bytes, 'NF4_DOUBLE', other!.shape, 'float32', scales);
      return [ops.dequantise(one!).toArray(), ops.dequantise(own).toArray()];
    });
    expect(found).toEqual(wanted);
    for (const model of [held, whole]) model.dispose();
  });

  it('in NF4 is refused if no row is whole blocks', async () => {
    const path = writeTinyModel(join(folder, 'narrow'), tinyConfigs.llama!);
    tokenizer().save(path);
    await expect(open(path, 'fp32', 'nf4')).rejects.toThrow(/nf4: no linear layer.*16 weights/);
  });

  it.each<[{ precision: 'fp32' | 'bf16'; trainable?: boolean }, BasePrecision, RegExp]>([
    [{ precision: 'bf16' }, 'fp32', /--base-precision fp32: .*Use --base-precision bf16/],
    [{ precision: 'fp32', trainable: true }, 'kept', /--base-precision kept: .*--lora true/],
  ])('%j refuses %s', async (options, basePrecision, message) => {
    const asked = { ...options, basePrecision, device: 'cpu' };
    await expect(loadModel(writeFolder('llama'), asked)).rejects.toThrow(message);
  });
});
