import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory, noGrad, randnLike, type Tensor, tidy, withSeed } from '@keel/torch';
import { goldenPath } from '@keel/torch/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Decoder } from '../decoder.ts';
import { cachedDefaultModel } from '../formats/default-model.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import { writeSafetensors } from '../formats/safetensors-writer.ts';
import { largestDifference, logitsOf, logitValues } from '../loading/fixtures/forward.ts';
import { tinyConfigs, writeTinyModel } from '../loading/fixtures/tiny-models.ts';
import { loadDecoder } from '../loading/load-decoder.ts';
import { disposeDecoder, linearLayers, namedWeights } from '../loading/named-weights.ts';
import { loadAdapter } from './load-adapter.ts';
import { adapterParameters, addLora, removeAdapter } from './lora.ts';
import { mergeAdapter } from './merge.ts';
import { saveAdapter } from './save-adapter.ts';

const sequences = [
  [5, 6, 7, 8, 9, 10, 11],
  [20, 3],
];
const options = { rank: 4, alpha: 8, targets: 'all-linear', seed: 3 } as const;

let folder = '';
let decoder: Decoder;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-adapters-'));
  for (const name of ['llama', 'gpt2', 'phi3'])
    writeTinyModel(join(folder, name), tinyConfigs[name]!);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const load = async (name: string): Promise<Decoder> =>
  (await loadDecoder(join(folder, name), { computeType: 'float32' })).decoder;
beforeEach(async () => {
  decoder = await load('llama');
});
afterEach(() => disposeDecoder(decoder));

const randomiseB = (parameters: Map<string, Tensor>): void =>
  withSeed(11, () =>
    tidy(() =>
      noGrad(() => {
        for (const [key, tensor] of parameters) {
          if (key.includes('lora_B')) tensor.copy_(randnLike(tensor).mul(0.1));
        }
      }),
    ),
  );
const config = (path: string) =>
  JSON.parse(readFileSync(join(path, 'adapter_config.json'), 'utf8'));

describe('addLora', () => {
  it('initialises as PEFT does, from its seed only', () => {
    const parameters = addLora(decoder, 'policy', {
      ...options,
      targets: ['q_proj', 'mlp.down_proj'],
    });
    expect([...parameters.keys()].slice(0, 4)).toEqual([
      'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight',
      'base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight',
      'base_model.model.model.layers.0.mlp.down_proj.lora_A.weight',
      'base_model.model.model.layers.0.mlp.down_proj.lora_B.weight',
    ]);
    expect(parameters.size).toBe(8);
    for (const [key, tensor] of parameters) {
      expect([tensor.dtype, tensor.requiresGrad]).toEqual(['float32', true]);
      const values = tensor.toArray();
      if (key.includes('lora_B')) expect(values.every((value) => value === 0)).toBe(true);
      else {
        // Kaiming uniform with a = sqrt(5) is uniform in ±1/sqrt(in).
        const bound = 1 / Math.sqrt(tensor.dim(1));
        const largest = Math.max(...values.map(Math.abs));
        expect(largest).toBeLessThanOrEqual(bound);
        expect(largest).toBeGreaterThan(0.8 * bound);
      }
    }
    const first = parameters.get('base_model.model.model.layers.0.mlp.down_proj.lora_A.weight')!;
    expect(first.shape).toEqual([4, 24]);
    const values = first.toArray();
    removeAdapter(decoder, 'policy');
    const again = addLora(decoder, 'policy', { ...options, targets: ['q_proj', 'mlp.down_proj'] });
    expect(
      again.get('base_model.model.model.layers.0.mlp.down_proj.lora_A.weight')!.toArray(),
    ).toEqual(values);
  });

  it.each([
    'float32',
    'bfloat16',
  ] as const)('changes no bit while B is zero, in %s', async (computeType) => {
    const { decoder: model } = await loadDecoder(join(folder, 'llama'), { computeType });
    const before = logitValues(model, sequences);
    addLora(model, 'policy', options);
    expect(logitValues(model, sequences, 'policy')).toEqual(before);
    disposeDecoder(model);
  });

  it('changes only passes that use it, and only it gets gradients', () => {
    const before = logitValues(decoder, sequences);
    const parameters = addLora(decoder, 'policy', options);
    randomiseB(parameters);
    expect(logitValues(decoder, sequences)).toEqual(before);
    expect(largestDifference(logitValues(decoder, sequences, 'policy'), before)).toBeGreaterThan(
      0.01,
    );
    tidy(() => logitsOf(decoder, sequences, 'policy').square().sum().backward());
    for (const tensor of parameters.values()) {
      using gradient = tensor.grad!;
      expect(gradient.abs().max().item()).toBeGreaterThan(0);
    }
    for (const weight of namedWeights(decoder).values()) expect(weight.grad).toBeNull();
  });

  it('scales by alpha / rank, or alpha / sqrt(rank)', () => {
    addLora(decoder, 'plain', options);
    addLora(decoder, 'stabilised', { ...options, useRslora: true });
    const [layer] = linearLayers(decoder);
    expect(layer!.adapters.get('plain')!.scale).toBe(2);
    expect(layer!.adapters.get('stabilised')!.scale).toBe(4);
  });

  it('applies to every linear layer but the head', () => {
    expect(addLora(decoder, 'policy', options).size).toBe(2 * 7 * 2);
  });

  it.each([
    [{ targets: ['q_proj', 'c_attn'] }, /"c_attn".* q_proj, k_proj, .*down_proj/],
    [{ targets: ['proj'] }, /"proj"/],
    [{ targets: ['lm_head'] }, /"lm_head"/],
    [{ targets: [] }, /at least one target/],
    [{ layers: [1, 2] }, /no layer 2: this model has layers 0 to 1/],
    [{ layers: [] }, /at least one layer/],
    [{ rank: 0 }, /rank is 0/],
    [{ dropout: 1 }, /dropout is 1/],
    [{ alpha: Number.NaN }, /alpha is NaN/],
  ])('refuses %j', (change, message) => {
    expect(() => addLora(decoder, 'policy', { ...options, ...change })).toThrow(message);
    expect(() => adapterParameters(decoder, 'policy')).toThrow(/this model has none/);
  });

  it('refuses a name that is taken', () => {
    addLora(decoder, 'policy', options);
    expect(() => addLora(decoder, 'policy', options)).toThrow(/adapter.*"policy"/);
    expect(() => adapterParameters(decoder, 'reward')).toThrow(/no adapter "reward".* policy/);
  });
});

describe('mergeAdapter and removeAdapter', () => {
  it("merging gives the adapter's result, and leaves other adapters unchanged", () => {
    randomiseB(addLora(decoder, 'policy', options));
    addLora(decoder, 'reward', { ...options, targets: ['q_proj'] });
    const adapted = logitValues(decoder, sequences, 'policy');
    mergeAdapter(decoder, 'policy');
    expect(largestDifference(logitValues(decoder, sequences), adapted)).toBeLessThan(1e-4);
    expect(adapterParameters(decoder, 'reward').size).toBe(4);
    expect(() => mergeAdapter(decoder, 'policy')).toThrow(/no adapter "policy"/);
  });

  it('removing frees it', () => {
    const before = memory().tensors;
    addLora(decoder, 'policy', options);
    removeAdapter(decoder, 'policy');
    expect(memory().tensors).toBe(before);
  });
});

describe('saveAdapter and loadAdapter', () => {
  it.each(['llama', 'gpt2', 'phi3'])('restore an adapter of %s', async (name) => {
    const model = await load(name);
    const parameters = addLora(model, 'policy', { ...options, dropout: 0.05 });
    randomiseB(parameters);
    const path = join(folder, `${name}-adapter`);
    saveAdapter(path, model, 'policy', { baseModel: 'some/model' });
    expect(config(path)).toMatchObject({
      peft_type: 'LORA',
      base_model_name_or_path: 'some/model',
      r: 4,
      lora_alpha: 8,
      lora_dropout: 0.05,
      fan_in_fan_out: name === 'gpt2',
      rank_pattern: {},
      alpha_pattern: {},
    });
    const loaded = loadAdapter(model, path, 'again');
    expect([...loaded.keys()]).toEqual([...parameters.keys()]);
    for (const [key, tensor] of loaded) {
      expect(tensor.toArray()).toEqual(parameters.get(key)!.toArray());
      expect(tensor.requiresGrad).toBe(false);
    }
    expect(logitValues(model, sequences, 'again')).toEqual(logitValues(model, sequences, 'policy'));
    disposeDecoder(model);
  });

  it('name the targets as briefly as possible', async () => {
    const targetsOf = (model: Decoder, targets: readonly string[]): string[] => {
      addLora(model, 'policy', { ...options, targets });
      const path = join(folder, 'targets');
      saveAdapter(path, model, 'policy', { baseModel: 'some/model' });
      removeAdapter(model, 'policy');
      return config(path).target_modules;
    };
    expect(targetsOf(decoder, ['q_proj', 'v_proj'])).toEqual(['q_proj', 'v_proj']);
    expect(targetsOf(decoder, ['layers.1.self_attn.q_proj'])).toEqual(['q_proj']);
    expect(targetsOf(decoder, ['layers.1.self_attn.q_proj', 'v_proj'])).toEqual([
      'v_proj',
      '1.self_attn.q_proj',
    ]);
    const gpt2 = await load('gpt2');
    expect(targetsOf(gpt2, ['attn.c_proj'])).toEqual(['attn.c_proj']);
    expect(targetsOf(gpt2, ['c_proj'])).toEqual(['c_proj']);
    disposeDecoder(gpt2);
  });

  it.each([
    'llama',
    'gpt2',
  ])('preserve the adapted layers, as layers_to_transform: %s', async (name) => {
    const model = await load(name);
    const parameters = addLora(model, 'policy', { ...options, layers: [1] });
    expect([...parameters.keys()].every((key) => /\.(layers|h)\.1\./.test(key))).toBe(true);
    const path = join(folder, `${name}-last-layer`);
    saveAdapter(path, model, 'policy', { baseModel: 'some/model' });
    expect(config(path).layers_to_transform).toEqual([1]);
    expect([...loadAdapter(model, path, 'again').keys()]).toEqual([...parameters.keys()]);
    removeAdapter(model, 'again');
    const rewritten = (layers: unknown): (() => unknown) => {
      const changed = { ...config(path), layers_to_transform: layers };
      writeFileSync(join(path, 'adapter_config.json'), JSON.stringify(changed));
      return () => loadAdapter(model, path, 'again');
    };
    expect(rewritten([0, 1])).toThrow(/layers?\.0\..* is missing|h\.0\..* is missing/);
    expect(rewritten(2)).toThrow(/layers_to_transform: there is no layer 2/);
    expect(rewritten('1')).toThrow(/layers_to_transform/);
    expect(rewritten(1)).not.toThrow();
    disposeDecoder(model);
  });

  it('preserve a rank-stabilised scale, and ranks and alphas by pattern', () => {
    addLora(decoder, 'policy', {
      ...options,
      rank: 3,
      alpha: 10,
      useRslora: true,
      targets: ['q_proj'],
    });
    const path = join(folder, 'stabilised');
    saveAdapter(path, decoder, 'policy', { baseModel: 'some/model', useRslora: true });
    expect(config(path)).toMatchObject({ use_rslora: true, lora_alpha: 10, r: 3 });
    loadAdapter(decoder, path, 'again', { trainable: true });
    const [query] = linearLayers(decoder);
    expect(query!.adapters.get('again')).toMatchObject({ scale: 10 / Math.sqrt(3) });
    expect(query!.adapters.get('again')!.a.requiresGrad).toBe(true);

    // The same with the usual rank of 8, which one pattern overrides.
    const written = {
      ...config(path),
      r: 8,
      lora_alpha: 2,
      rank_pattern: { '.*q_proj': 3 },
      alpha_pattern: { q_proj: 10 },
    };
    writeFileSync(join(path, 'adapter_config.json'), JSON.stringify(written));
    loadAdapter(decoder, path, 'patterned');
    expect(query!.adapters.get('patterned')).toMatchObject({ scale: 10 / Math.sqrt(3) });

    const mixed = join(folder, 'mixed');
    query!.adapters.get('policy')!.scale *= 2;
    saveAdapter(mixed, decoder, 'policy', { baseModel: 'some/model', useRslora: true });
    loadAdapter(decoder, mixed, 'mixed');
    for (const layer of linearLayers(decoder)) {
      const pair = layer.adapters.get('policy');
      if (pair) expect(layer.adapters.get('mixed')!.scale).toBeCloseTo(pair.scale, 10);
    }
  });

  it('refuse what does not fit or is not supported', () => {
    addLora(decoder, 'policy', { ...options, targets: ['q_proj', 'v_proj'] });
    const path = join(folder, 'refused');
    saveAdapter(path, decoder, 'policy', { baseModel: 'some/model' });
    const good = config(path);
    const messageFor = (change: object): string => {
      writeFileSync(join(path, 'adapter_config.json'), JSON.stringify({ ...good, ...change }));
      const before = memory().tensors;
      try {
        loadAdapter(decoder, path, 'other');
      } catch (error) {
        expect(memory().tensors).toBe(before);
        return (error as Error).message;
      }
      return 'no error';
    };
    expect(messageFor({ use_dora: true })).toMatch(
      /adapter_config.json: its use_dora is true, which Keel does not support/,
    );
    expect(messageFor({ bias: 'all' })).toContain('its bias is "all"');
    expect(messageFor({ modules_to_save: ['lm_head'] })).toContain('modules_to_save');
    // Another method has other fields, so its name is checked first.
    expect(messageFor({ peft_type: 'IA3', r: undefined })).toMatch(
      /peft_type is "IA3".*merge_and_unload/,
    );
    expect(messageFor({ peft_type: 'PREFIX_TUNING', r: undefined })).toContain('cannot be merged');
    expect(messageFor({ r: undefined })).toContain('r: ');
    expect(messageFor({ r: 5 })).toMatch(
      /q_proj.lora_A.weight": has shape \[4, 16\], expected \[5, 16\]/,
    );
    expect(messageFor({ target_modules: ['q_proj', 'v_proj', 'o_proj'] })).toMatch(
      /o_proj.lora_A.weight": is missing/,
    );
    expect(messageFor({ rank_pattern: { '(': 3 } })).toContain('"("');
    expect(() => loadAdapter(decoder, join(folder, 'llama'), 'other')).toThrow(/llama: .*--model/);
    const stray = {
      name: 'base_model.model.model.extra.lora_A.weight',
      dtype: 'F32',
      shape: [1],
      data: new Uint8Array(4),
    } as const;
    writeSafetensors(join(path, 'adapter_model.safetensors'), [{ ...stray, shape: [1] }]);
    expect(messageFor({})).toMatch(
      /extra.lora_A.weight": belongs to no linear layer of this llama model/,
    );
    for (const name of [
      'base_model.model.lm_head.lora_A.weight',
      'base_model.model.model.embed_tokens.lora_embedding_A',
    ]) {
      writeSafetensors(join(path, 'adapter_model.safetensors'), [{ ...stray, name, shape: [1] }]);
      expect(messageFor({})).toMatch(
        /belongs to the embedding or the output head.* Merge the adapter with PEFT/,
      );
    }
  });
});

const golden = goldenPath('smollm2-dpo-lora/initial-adapter');
describe.skipIf(!cachedDefaultModel())("PEFT's adapter on SmolLM2", () => {
  it('loads and is saved back byte for byte', async () => {
    const model = (await loadDecoder(cachedDefaultModel()!, { computeType: 'float32' })).decoder;
    const before = logitValues(model, sequences);
    const parameters = loadAdapter(model, golden, 'policy', { trainable: true });
    expect(parameters.size).toBe(120);
    expect(logitValues(model, sequences, 'policy')).toEqual(before);
    const path = join(folder, 'golden');
    mkdirSync(path);
    saveAdapter(path, model, 'policy', { baseModel: 'HuggingFaceTB/SmolLM2-135M-Instruct' });
    using one = openSafetensors(join(golden, 'adapter_model.safetensors'));
    using other = openSafetensors(join(path, 'adapter_model.safetensors'));
    expect(other.names()).toEqual(one.names());
    for (const name of one.names()) {
      expect(other.info(name)).toEqual(one.info(name));
      expect(Buffer.compare(other.read(name), one.read(name))).toBe(0);
    }
    expect(config(golden)).toMatchObject(config(path));
    disposeDecoder(model);
  });
});
