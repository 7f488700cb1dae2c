import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckpointError } from '../formats/checkpoint-error.ts';
import { type TensorToWrite, writeSafetensors } from '../formats/safetensors-writer.ts';
import { largestDifference, logitValues } from './fixtures/forward.ts';
import { randomTensors, tinyConfigs, writeTinyModel } from './fixtures/tiny-models.ts';
import { loadDecoder } from './load-decoder.ts';
import { disposeDecoder, namedWeights } from './named-weights.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-loading-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;
const fresh = (): string => join(folder, String(made++));

const sequences = [
  [5, 6, 7, 8, 9, 10, 11, 12, 13],
  [20, 3, 40],
];
const float32 = { computeType: 'float32' } as const;

async function logitsFrom(path: string): Promise<number[]> {
  const { decoder } = await loadDecoder(path, float32);
  const values = logitValues(decoder, sequences);
  disposeDecoder(decoder);
  return values;
}

async function errorFrom(path: string): Promise<string> {
  const before = await liveMemory();
  const error = await loadDecoder(path, float32).then(
    () => null,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  expect(await liveMemory()).toEqual(before);
  return (error as Error).message;
}

const config = tinyConfigs.llama!;
const changed = (change: (tensors: TensorToWrite[]) => TensorToWrite[]): string =>
  writeTinyModel(fresh(), config, change(randomTensors(config)));

it('names what generation_config.json forbids, which Keel does not apply', async () => {
  const path = writeTinyModel(fresh(), tinyConfigs.llama!, randomTensors(tinyConfigs.llama!, 1));
  const noticed = async (config: object): Promise<string[]> => {
    writeFileSync(join(path, 'generation_config.json'), JSON.stringify(config));
    const notices: string[] = [];
    const notice = (text: string): void => void notices.push(text);
    disposeDecoder((await loadDecoder(path, { ...float32, notice })).decoder);
    return notices;
  };
  expect(await noticed({ suppress_tokens: [3], bad_words_ids: [[4]], temperature: 0.6 })).toEqual([
    expect.stringMatching(/does not apply suppress_tokens, bad_words_ids when it samples/),
  ]);
  const neutral = { suppress_tokens: null, num_beams: 1, min_length: 0, begin_suppress_tokens: [] };
  expect(await noticed({ ...neutral, top_p: 0.9, repetition_penalty: 1.1 })).toEqual([]);
});

describe('loadDecoder on safetensors', () => {
  it('reads shards like one file', async () => {
    const tensors = randomTensors(config);
    const sharded = fresh();
    mkdirSync(sharded);
    writeFileSync(join(sharded, 'config.json'), JSON.stringify(config));
    const shards = [tensors.slice(0, 7), tensors.slice(7)];
    const map: Record<string, string> = {};
    shards.forEach((shard, index) => {
      const name = `model-0000${index + 1}-of-00002.safetensors`;
      writeSafetensors(join(sharded, name), shard);
      for (const tensor of shard) map[tensor.name] = name;
    });
    const index = join(sharded, 'model.safetensors.index.json');
    writeFileSync(index, JSON.stringify({ metadata: {}, weight_map: map }));
    expect(await logitsFrom(sharded)).toEqual(await logitsFrom(writeTinyModel(fresh(), config)));
  });

  it('stores frozen weights in the compute type and trainable ones as float32 parameters', async () => {
    const path = writeTinyModel(fresh(), config);
    const frozen = await loadDecoder(path, { computeType: 'bfloat16' });
    const trainable = await loadDecoder(path, { computeType: 'bfloat16', trainable: true });
    for (const weight of namedWeights(frozen.decoder).values()) {
      expect([weight.dtype, weight.requiresGrad]).toEqual(['bfloat16', false]);
    }
    for (const weight of namedWeights(trainable.decoder).values()) {
      expect([weight.dtype, weight.requiresGrad]).toEqual(['float32', true]);
    }
    const [one, other] = [frozen, trainable].map(({ decoder }) => logitValues(decoder, sequences));
    expect(largestDifference(one!, other!)).toBeLessThan(0.3);
    disposeDecoder(frozen.decoder);
    disposeDecoder(trainable.decoder);
  });

  it('leaves no tensor behind but the weights', async () => {
    const before = await liveMemory();
    const { decoder } = await loadDecoder(writeTinyModel(fresh(), config), float32);
    expect((await liveMemory()).tensors - before.tensors).toBe(namedWeights(decoder).size);
    disposeDecoder(decoder);
    expect(await liveMemory()).toEqual(before);
  });

  it('ties a missing head if the configuration says so, and ignores a stored one', async () => {
    const tied = { ...config, tie_word_embeddings: true };
    const without = randomTensors(tied);
    const head = { ...without[0]!, name: 'lm_head.weight' };
    const one = await logitsFrom(writeTinyModel(fresh(), tied, without));
    expect(await logitsFrom(writeTinyModel(fresh(), tied, [...without, head]))).toEqual(one);
  });

  it('ignores buffers that older versions saved', async () => {
    const buffer = (name: string): TensorToWrite => ({
      name,
      dtype: 'F32',
      shape: [2],
      data: new Uint8Array(8),
    });
    const inverse = buffer('model.layers.0.self_attn.rotary_emb.inv_freq');
    const path = changed((tensors) => [...tensors, inverse]);
    expect(await logitsFrom(path)).toEqual(await logitsFrom(changed((tensors) => tensors)));
    const gpt2 = tinyConfigs.gpt2!;
    const withMask = [...randomTensors(gpt2), buffer('transformer.h.0.attn.bias')];
    expect(await logitsFrom(writeTinyModel(fresh(), gpt2, withMask))).toEqual(
      await logitsFrom(writeTinyModel(fresh(), gpt2)),
    );
  });

  it('reads a GPT-2 saved without its head, whose names lack the prefix', async () => {
    const gpt2 = tinyConfigs.gpt2!;
    const bare = randomTensors(gpt2).map((tensor) => ({
      ...tensor,
      name: tensor.name.replace('transformer.', ''),
    }));
    expect(await logitsFrom(writeTinyModel(fresh(), gpt2, bare))).toEqual(
      await logitsFrom(writeTinyModel(fresh(), gpt2)),
    );
  });

  it('hashes the files that the model was read from', async () => {
    const hashOf = async (path: string): Promise<string> => {
      const loaded = await loadDecoder(path, float32);
      disposeDecoder(loaded.decoder);
      return loaded.weightHash();
    };
    const first = await hashOf(writeTinyModel(fresh(), config));
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await hashOf(writeTinyModel(fresh(), config))).toBe(first);
    expect(await hashOf(writeTinyModel(fresh(), config, randomTensors(config, 2)))).not.toBe(first);
    expect(await hashOf(writeTinyModel(fresh(), { ...config, rope_theta: 99 }))).not.toBe(first);
  });
});

describe('loadDecoder on damaged checkpoints', () => {
  const name = 'model.layers.1.mlp.down_proj.weight';

  it('names the tensor of a wrong shape', async () => {
    const path = changed((tensors) =>
      tensors.map((one) => (one.name === name ? { ...one, shape: [24, 16] } : one)),
    );
    expect(await errorFrom(path)).toBe(
      `${path}: tensor "${name}": has shape [24, 16], expected [16, 24]`,
    );
  });

  it('names a missing tensor', async () => {
    const path = changed((tensors) => tensors.filter((one) => one.name !== name));
    expect(await errorFrom(path)).toContain(
      `tensor "${name}": is missing, expected shape [16, 24]`,
    );
    const headless = changed((tensors) => tensors.filter((one) => one.name !== 'lm_head.weight'));
    expect(await errorFrom(headless)).toContain('"lm_head.weight": is missing');
  });

  it('names tensors that the model does not have', async () => {
    const path = changed((tensors) => [...tensors, { ...tensors[0]!, name: 'model.extra.weight' }]);
    expect(await errorFrom(path)).toMatch(
      /has 1 tensors that a llama model .* "model.extra.weight"/,
    );
  });

  it.each([
    ['_orig_mod.', /"_orig_mod.model.embed_tokens.weight": is named with the prefix "_orig_mod."/],
    ['base_model.model.', /prefix "base_model.model.", as a wrapped model/],
    ['language_model.', /prefix "language_model."/],
  ])('names the prefix of a wrapped model: %s', async (prefix, message) => {
    const path = changed((tensors) =>
      tensors.map((one) => ({ ...one, name: `${prefix}${one.name}` })),
    );
    expect(await errorFrom(path)).toMatch(message);
  });

  it.each([
    ['score.weight', /"score\.weight"\. .*ForSequenceClassification/],
    ['v_head.summary.weight', /"v_head\.summary\.weight"\. .*ForSequenceClassification/],
    ['model.layers.0.mlp.up_proj.bias', /up_proj.bias"\. In families with .* mlp_bias/],
    ['rope_freqs.weight', /"rope_freqs.weight"$/],
    ['model.layers.0.self_attn.q_proj.weight_scale', /weight_scale"$/],
  ])('names tensors that config.json has no place for: %s', async (name, message) => {
    expect(await errorFrom(changed((all) => [...all, { ...all[0]!, name }]))).toMatch(message);
  });

  it('ignores buffers of older versions', async () => {
    const name = 'model.layers.0.self_attn.rotary_emb.inv_freq';
    const path = changed((all) => [...all, { ...all.at(-1)!, name }]);
    expect(await logitsFrom(path)).toEqual(await logitsFrom(changed((all) => all)));
  });

  it('names a head whose labels differ from those of config.json', async () => {
    const classifier = {
      ...config,
      architectures: ['LlamaForSequenceClassification'],
      id2label: { 0: 'bad', 1: 'good', 2: 'best' },
    };
    const score = { ...randomTensors(config)[0]!, name: 'score.weight', shape: [2, 16] };
    const tensors = [
      ...randomTensors(config).filter((one) => one.name !== 'lm_head.weight'),
      { ...score, data: new Uint8Array(2 * 16 * 4) },
    ];
    expect(await errorFrom(writeTinyModel(fresh(), classifier, tensors))).toMatch(
      /"score.weight": has 2 rows, but config.json has 3 labels/,
    );
  });

  it('names a bias that one layer lacks', async () => {
    const qwen2 = tinyConfigs.qwen2!;
    const lost = 'model.layers.1.self_attn.k_proj.bias';
    const tensors = randomTensors(qwen2).filter((one) => one.name !== lost);
    expect(await errorFrom(writeTinyModel(fresh(), qwen2, tensors))).toContain(
      `tensor "${lost}": is missing, expected shape [8]`,
    );
  });

  it('refuses weights that are not floating-point numbers', async () => {
    const path = changed((tensors) =>
      tensors.map((one) => (one.name === name ? { ...one, dtype: 'I32' } : one)),
    );
    expect(await errorFrom(path)).toContain(`tensor "${name}": is stored as I32`);
  });

  it('says what is wrong with a folder or its config.json', async () => {
    const path = fresh();
    mkdirSync(path);
    expect(await errorFrom(path)).toContain('config.json: is missing');
    writeFileSync(join(path, 'adapter_config.json'), '{}');
    expect(await errorFrom(path)).toContain('adapter');
    writeFileSync(join(path, 'config.json'), '{');
    expect(await errorFrom(path)).toContain('config.json: is not JSON');
    writeFileSync(join(path, 'config.json'), '[]');
    expect(await errorFrom(path)).toContain('is not a JSON object');
    writeFileSync(join(path, 'config.json'), '{"model_type": "bert"}');
    expect(await errorFrom(path)).toMatch(/config.json: field model_type is "bert".*llama/);
    writeFileSync(join(path, 'config.json'), JSON.stringify(config));
    expect(await errorFrom(path)).toContain('expected model.safetensors');
    expect(await errorFrom(join(folder, 'nowhere.gguf'))).toContain('nowhere.gguf');
  });

  it('refuses a sequence longer than the model has positions for', async () => {
    const { decoder } = await loadDecoder(writeTinyModel(fresh(), tinyConfigs.phi3!), float32);
    const long = Array.from({ length: 65 }, (_, i) => i % 60);
    expect(() => logitValues(decoder, [long])).toThrow(/65 tokens.*phi3.* 64.*--max-length/);
    disposeDecoder(decoder);
  });
});
