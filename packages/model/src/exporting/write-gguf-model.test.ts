import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tidy } from '@keel/torch';
import { goldenPath } from '@keel/torch/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGguf } from '../formats/gguf.ts';
import { writeGguf } from '../formats/gguf-writer.ts';
import { LanguageModel } from '../language-model.ts';
import { loadModel } from '../load-model.ts';
import { largestDifference, logitValues } from '../loading/fixtures/forward.ts';
import { tinyConfigs, writeTinyModel } from '../loading/fixtures/tiny-models.ts';
import { loadDecoder } from '../loading/load-decoder.ts';
import { disposeDecoder, namedWeights } from '../loading/named-weights.ts';
import { goldenFamilies } from '../testing/golden-families.ts';
import { oddTexts, tinyTokenizerJson, tinyTokens } from '../tokenizer/testing/tiny-tokenizer.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { ggufArchitecture } from './gguf-architecture.ts';
import { ggufTensors } from './gguf-tensors.ts';
import type { GgufFileType } from './gguf-types.ts';
import { ggufModel } from './write-gguf-model.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-gguf-export-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sequences = [
  [5, 6, 7, 8, 9, 10, 11, 12, 13],
  [20, 3, 40],
];
const lineage = {
  ...{ name: 'tiny', license: 'apache-2.0', methods: ['dpo'], adapterSha256: null },
  base: { name: 'tiny', repository: 'owner/tiny', sha256: 'ab' },
};

const tinyTokenizer = (): Tokenizer =>
  new Tokenizer({
    source: 'tiny',
    json: tinyTokenizerJson(),
    config: { eos_token: '<|end|>', pad_token: '<|pad|>' },
    chatTemplates: { default: "{{ messages[0]['content'] }}" },
  });

/** A random model of a family, with sizes that blocks of 32 or 256 divide. */
async function tinyModel(family: string, sizes: Record<string, unknown> = {}) {
  const json = { ...tinyConfigs[family], vocab_size: tinyTokens.length, ...sizes };
  const path = writeTinyModel(join(folder, `${family}-${Object.keys(sizes).length}`), json);
  const { decoder, configJson } = await loadDecoder(path, { computeType: 'float32' });
  return new LanguageModel({
    ...{ decoder, configJson, tokenizer: tinyTokenizer(), device: 'cpu', name: path },
    hash: async () => 'ab',
  });
}

async function roundTrip(model: LanguageModel, type: GgufFileType) {
  const path = join(folder, `model-${type}.gguf`);
  const made = ggufModel(model, { type, lineage });
  made.write(path);
  const found = await loadModel(path, { precision: 'fp32', device: 'cpu' });
  const [before, after] = [model, found].map(({ decoder }) => logitValues(decoder, sequences));
  const difference = largestDifference(before!, after!);
  return { path, made, found, difference };
}

// Gemma 3 alternates as the published models do.
const own: Record<string, Record<string, unknown>> = {
  gemma3: { num_hidden_layers: 6, sliding_window_pattern: 3 },
};

describe('a GGUF file of', () => {
  it.each(Object.keys(tinyConfigs))('%s computes what the model computes', async (family) => {
    const model = await tinyModel(family, own[family]);
    const { found, difference } = await roundTrip(model, 'f32');
    // Adding 1 to a norm and subtracting it again rounds.
    expect(difference).toBeLessThan(1e-4);
    for (const text of oddTexts(100)) {
      expect(found.tokenizer.encode(text)).toEqual(model.tokenizer.encode(text));
    }
    expect(found.tokenizer.endOfTurnIds).toEqual(model.tokenizer.endOfTurnIds);
    expect(found.tokenizer.chatTemplate?.sources).toEqual(model.tokenizer.chatTemplate?.sources);
    model.dispose();
    found.dispose();
  });

  // The other two have constants that no published model has, see below.
  const others = ['llama3-rope', 'smollm3'];
  it.each(
    goldenFamilies.filter((name) => !others.includes(name)),
  )("transformers' %s keeps its logits", async (name) => {
    const source = goldenPath(`models/${name}`);
    const { decoder, configJson } = await loadDecoder(source, { computeType: 'float32' });
    const architecture = ggufArchitecture(decoder.config, configJson);
    const path = join(folder, `${name}.gguf`);
    const vectors = architecture.tensors.map(([vector, values]) => ({
      ...{ name: vector, type: 'F32' as const, shape: [values.length] },
      values: () => Float32Array.from(values),
    }));
    writeGguf(
      path,
      new Map([
        ['general.architecture', { type: 'string', value: architecture.name }],
        ...architecture.fields,
      ]),
      [...ggufTensors(decoder, architecture.name, 'f32'), ...vectors],
    );
    const notices: string[] = [];
    const notice = (text: string): void => void notices.push(text);
    const found = await loadDecoder(path, { computeType: 'float32', notice });
    const [one, two] = [decoder, found.decoder].map((each) => logitValues(each, sequences));
    expect(largestDifference(one!, two!)).toBeLessThan(1e-4);
    expect(notices).toEqual([]);
    for (const each of [decoder, found.decoder]) disposeDecoder(each);
  });
});

/** The largest error of a matrix, root of the mean square, as a share of the weights' own. */
function weightError(one: LanguageModel, other: LanguageModel): number {
  const found = namedWeights(other.decoder);
  const errors = [...namedWeights(one.decoder)].map(([name, weight]) =>
    tidy(() => {
      const squares = weight.mul(weight).sum().item();
      const change = weight.sub(found.get(name)!);
      return Math.sqrt(change.mul(change).sum().item() / squares);
    }),
  );
  return Math.max(...errors);
}

describe('a type of', () => {
  it.each<[GgufFileType, number]>([
    ['f32', 0],
    ['f16', 3e-4],
    ['bf16', 2e-3],
    ['q8_0', 0.007],
    ['q6_k', 0.02],
    ['q5_k_m', 0.04],
    ['q5_k_s', 0.04],
    ['q5_1', 0.042],
    ['q5_0', 0.05],
    ['q4_k_m', 0.08],
    ['q4_k_s', 0.08],
    ['q4_1', 0.086],
    ['q4_0', 0.1],
  ])('%s changes weights by at most a share of %d', async (type, most) => {
    const sizes = { hidden_size: 256, head_dim: 64, intermediate_size: 512 };
    const model = await tinyModel('llama', sizes);
    const { path, made, found } = await roundTrip(model, type);
    const error = weightError(model, found);
    expect(error).toBeLessThanOrEqual(most);
    expect(error).toBeGreaterThanOrEqual(most / 2);
    using file = openGguf(path);
    expect(file.info('blk.0.attn_norm.weight').type).toBe('F32');
    expect(Object.values(made.types).reduce((a, b) => a + b)).toBe(file.names().length);
    model.dispose();
    found.dispose();
  });

  it('q4_k_m has more bits where they matter, and other blocks for odd rows', async () => {
    const sizes = { hidden_size: 256, head_dim: 64, intermediate_size: 96, num_hidden_layers: 8 };
    const model = await tinyModel('llama', sizes);
    const { path, found } = await roundTrip(model, 'q4_k_m');
    using file = openGguf(path);
    const types = (pattern: RegExp): string[] =>
      file
        .names()
        .filter((name) => pattern.test(name))
        .map((name) => file.info(name).type);
    expect(types(/^output\.weight/)).toEqual(['Q6_K']);
    expect(types(/^token_embd/)).toEqual(['Q4_K']);
    expect(types(/attn_q\.weight/)).toEqual(new Array(8).fill('Q4_K'));
    const [k, q] = ['Q4_K', 'Q6_K'];
    expect(types(/attn_v\.weight/)).toEqual([q, k, k, q, k, k, q, q]);
    const [five, eight] = ['Q5_0', 'Q8_0'];
    expect(types(/ffn_down/)).toEqual([eight, five, five, eight, five, five, eight, eight]);
    model.dispose();
    found.dispose();
  });

  it('a file has its lineage', async () => {
    const model = await tinyModel('llama');
    const { path, found } = await roundTrip(model, 'f16');
    using file = openGguf(path);
    expect(file.metadata).toMatchObject({
      'general.architecture': 'llama',
      'general.name': 'tiny',
      'general.license': 'apache-2.0',
      'general.finetune': 'dpo',
      'general.file_type': 1,
      'general.base_model.count': 1,
      'general.base_model.0.repo_url': 'https://huggingface.co/owner/tiny',
      'tokenizer.ggml.pre': 'gpt-2',
      'tokenizer.ggml.eos_token_ids': [0],
    });
    model.dispose();
    found.dispose();
  });
});

describe('a model that llama.cpp has no counterpart to is refused by name:', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['qwen2', { use_sliding_window: true, max_window_layers: 0 }, /sliding window.*qwen2/],
    ['qwen3', { attention_bias: true }, /attention_bias.*qwen3/],
    ['llama', { hidden_act: 'relu' }, /relu.*llama/],
    ['smollm3', { no_rope_layers: [1, 1, 1, 1] }, /position embeddings.*smollm3/],
    ['gemma2', { query_pre_attn_scalar: 4 }, /query_pre_attn_scalar 4/],
    ['gemma2', { final_logit_softcapping: null }, /softcapping/],
    ['gemma3', { layer_types: ['full_attention', 'sliding_attention'] }, /alternate/],
    ['gpt2', { scale_attn_weights: false }, /scale_attn_weights/],
  ])('%s with %j', async (family, sizes, message) => {
    const model = await tinyModel(family, sizes);
    expect(() => ggufModel(model, { type: 'f32', lineage })).toThrow(message);
    model.dispose();
  });

  it.each([
    ['llama3-rope', /original_max_position_embeddings/],
    ['smollm3', /every fourth/],
  ])('the golden %s', async (name, message) => {
    const source = goldenPath(`models/${name}`);
    const { decoder, configJson } = await loadDecoder(source, { computeType: 'float32' });
    expect(() => ggufArchitecture(decoder.config, configJson)).toThrow(message);
    disposeDecoder(decoder);
  });

  it('a family that is unknown', async () => {
    const model = await tinyModel('llama');
    const config = { ...model.decoder.config, family: 'mamba' };
    expect(() => ggufArchitecture(config, {})).toThrow(/"mamba".*llama, mistral/);
    model.dispose();
  });
});
