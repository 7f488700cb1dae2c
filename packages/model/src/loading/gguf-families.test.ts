import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rotaryConfig } from '../families/rotary.ts';
import { logitValues } from './fixtures/forward.ts';
import { tinyConfigs, writeTinyModel } from './fixtures/tiny-models.ts';
import { type GgufContents, writeGguf } from './fixtures/write-gguf.ts';
import { loadDecoder } from './load-decoder.ts';
import { disposeDecoder } from './named-weights.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-gguf-families-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sequences = [
  [5, 6, 7, 8, 9, 10, 11, 12, 13],
  [20, 3, 40],
];
const sizes = {
  block_count: 2,
  context_length: 64,
  embedding_length: 16,
  feed_forward_length: 24,
  'attention.head_count': 4,
};
const grouped = {
  ...sizes,
  'attention.head_count_kv': 2,
  'attention.layer_norm_rms_epsilon': 1e-5,
  'rope.freq_base': 10_000,
};
const gemma = { ...grouped, 'attention.key_length': 8, 'attention.sliding_window': 6 };

// Gemma 3's files omit its layer pattern unless it is unusual; llama.cpp assumes five of six.
const gemma3 = { ...tinyConfigs.gemma3, num_hidden_layers: 6, sliding_window_pattern: 6 };

interface Case extends GgufContents {
  config: Record<string, unknown>;
}

const cases: Record<string, Case> = {
  llama: {
    architecture: 'llama',
    fields: { ...grouped, 'rope.dimension_count': 4 },
    config: tinyConfigs.llama!,
  },
  mistral: {
    architecture: 'llama',
    fields: { ...grouped, 'attention.sliding_window': 6 },
    config: tinyConfigs.mistral!,
  },
  qwen2: { architecture: 'qwen2', fields: grouped, config: tinyConfigs.qwen2! },
  qwen3: {
    architecture: 'qwen3',
    fields: { ...grouped, 'attention.key_length': 8 },
    config: tinyConfigs.qwen3!,
  },
  gemma2: {
    architecture: 'gemma2',
    fields: { ...gemma, attn_logit_softcapping: 50, final_logit_softcapping: 30 },
    config: tinyConfigs.gemma2!,
  },
  gemma3: {
    architecture: 'gemma3',
    fields: { ...gemma, block_count: 6, 'rope.freq_base': 1_000_000 },
    config: gemma3,
  },
  smollm3: {
    architecture: 'smollm3',
    fields: { ...grouped, block_count: 4 },
    config: tinyConfigs.smollm3!,
  },
  phi3: {
    architecture: 'phi3',
    fields: {
      ...grouped,
      context_length: 256,
      'rope.dimension_count': 4,
      'rope.scaling.original_context_length': 64,
    },
    extra: { 'rope_factors_short.weight': [1, 1.5], 'rope_factors_long.weight': [2, 4] },
    config: tinyConfigs.phi3!,
  },
  gpt2: {
    architecture: 'gpt2',
    fields: { ...sizes, 'attention.layer_norm_epsilon': 1e-5 },
    config: tinyConfigs.gpt2!,
  },
};

const load = (path: string) => loadDecoder(path, { computeType: 'float32' });

async function bothWays(name: string, { config, ...contents }: Case) {
  const model = writeTinyModel(join(folder, name), config);
  const file = writeGguf(join(folder, `${name}.gguf`), model, contents);
  const fromFolder = await load(model);
  const fromFile = await load(file);
  const [expected, found] = [fromFolder, fromFile].map(({ decoder }) =>
    logitValues(decoder, sequences),
  );
  for (const { decoder } of [fromFolder, fromFile]) disposeDecoder(decoder);
  return { expected: expected!, found: found!, fromFolder, fromFile };
}

describe('a GGUF file', () => {
  it.each(Object.keys(cases))('of %s gives the same model as its original folder', async (name) => {
    const { expected, found, fromFolder, fromFile } = await bothWays(name, cases[name]!);
    // Adding 1 to a norm and subtracting it again rounds.
    found.forEach((value, i) => void expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-4));
    const { architectures, ...json } = fromFile.configJson;
    expect(json).toMatchObject(JSON.parse(JSON.stringify(fromFolder.configJson)));
    expect(architectures).toHaveLength(1);
  });

  it.each<[string, string, number, RegExp]>([
    ['llama', 'expert_count', 8, /"llama.expert_count" is 8, .* 0 in/],
    ['llama', 'attention.scale', 0.5, /"llama.attention.scale" is 0.5/],
    ['llama', 'logit_scale', 2, /"llama.logit_scale" is 2, .* 0 or 1 in/],
    ['llama', 'attention.key_length', 8, / 4 features of heads of 8/],
    ['qwen2', 'rope.dimension_count', 2, /"qwen2.rope.dimension_count" is 2/],
    ['qwen2', 'attention.sliding_window', 6, /"qwen2.attention.sliding_window" is 6/],
    ['gemma2', 'attention.value_length', 4, /"gemma2.attention.value_length" is 4/],
    ['llama', 'rope.scaling.yarn_beta_fast', 8, /yarn_beta_fast" is 8/],
  ])('of %s is refused with %s %d', async (name, field, value, message) => {
    const { config, ...contents } = cases[name]!;
    const model = writeTinyModel(join(folder, 'other'), config);
    const fields = { ...contents.fields, [field]: value };
    const file = writeGguf(join(folder, 'other.gguf'), model, { ...contents, fields });
    await expect(load(file)).rejects.toThrow(message);
  });

  it('with metadata that Keel does not read causes a notice', async () => {
    const { config, ...contents } = cases.llama!;
    const model = writeTinyModel(join(folder, 'noted'), config);
    const fields = { ...contents.fields, new_trick: 3, vocab_size: 64, 'attention.scale': 0 };
    const file = writeGguf(join(folder, 'noted.gguf'), model, { ...contents, fields });
    const notices: string[] = [];
    const notice = (text: string): void => void notices.push(text);
    const { decoder } = await loadDecoder(file, { computeType: 'float32', notice });
    expect(notices).toEqual([
      expect.stringMatching(/does not read this metadata: llama.new_trick$/),
    ]);
    disposeDecoder(decoder);
  });

  it('of a Llama 3 model gives its rotary scaling', async () => {
    const scaling = {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    };
    // So large that the second of the two waves is long enough to be stretched.
    const theta = 1_000_000_000;
    const rope = (parameters: object) =>
      rotaryConfig({ rope_theta: theta, ...parameters }, 4, 64).inverseFrequencies;
    const scaled = rope(scaling);
    const quotients = rope({}).map((plain, i) => plain / scaled[i]!);
    const fields = { ...grouped, 'rope.freq_base': theta };
    const made = { architecture: 'llama', fields, extra: { 'rope_freqs.weight': quotients } };
    const wrong = { ...made, extra: { 'rope_freqs.weight': [2, 8] } };
    const model = writeTinyModel(join(folder, 'llama3'), tinyConfigs.llama!);
    await expect(load(writeGguf(join(folder, 'wrong.gguf'), model, wrong))).rejects.toThrow(
      /not the scaling of Llama 3/,
    );
    const { decoder, configJson } = await load(writeGguf(join(folder, 'llama3.gguf'), model, made));
    expect(configJson.rope_scaling).toEqual(scaling);
    disposeDecoder(decoder);
  });

  it.each<[Record<string, unknown>, object | undefined]>([
    [{ 'rope.scaling.factor': 4 }, { rope_type: 'linear', factor: 4 }],
    [{ 'rope.scale_linear': 2 }, { rope_type: 'linear', factor: 2 }],
    [{ 'rope.scaling.factor': 4, 'rope.scaling.type': 'none' }, undefined],
    [{ 'rope.scaling.factor': 0 }, undefined],
  ])('with %j has the scaling of llama.cpp: %j', async (fields, expected) => {
    const { config, ...contents } = cases.llama!;
    const model = writeTinyModel(join(folder, 'scaled'), config);
    const all = { ...contents.fields, ...fields } as typeof contents.fields;
    const file = writeGguf(join(folder, 'scaled.gguf'), model, { ...contents, fields: all });
    const { decoder, configJson } = await load(file);
    expect(configJson.rope_scaling ?? undefined).toEqual(expected);
    disposeDecoder(decoder);
  });

  it('says which field is missing or wrong', async () => {
    const model = writeTinyModel(join(folder, 'damaged'), tinyConfigs.llama!);
    const messageOf = async (contents: GgufContents): Promise<string> => {
      const path = writeGguf(join(folder, 'damaged.gguf'), model, contents);
      return load(path).then(
        () => 'no error',
        (error: Error) => error.message,
      );
    };
    const { embedding_length, ...rest } = grouped;
    expect(await messageOf({ architecture: 'bert', fields: grouped })).toMatch(
      /general\.architecture is "bert".*llama/,
    );
    expect(await messageOf({ architecture: 'llama', fields: rest })).toContain(
      'has no metadata "llama.embedding_length"',
    );
    expect(
      await messageOf({ architecture: 'llama', fields: { ...rest, embedding_length: 'wide' } }),
    ).toContain('"llama.embedding_length" is "wide", expected a whole number above 0');
    expect(
      await messageOf({ architecture: 'llama', fields: { ...grouped, feed_forward_length: 25 } }),
    ).toMatch(/tensor "blk.0.ffn_gate.weight": has shape \[24, 16\], expected \[25, 16\]/);
    expect(
      await messageOf({
        architecture: 'llama',
        fields: grouped,
        extra: { 'blk.0.odd.weight': [1] },
      }),
    ).toMatch(/does not have: "blk.0.odd.weight"/);
  });
});
