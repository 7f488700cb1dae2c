import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manualSeed, Recomputation, randn, setThreads, type Tensor, tidy } from '@keel/torch';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { addLora } from './adapters/lora.ts';
import { linearsOf } from './decoder-weights.ts';
import { LanguageModel } from './language-model.ts';
import type { Linear } from './linear.ts';
import { tinyConfigs, writeTinyModel } from './loading/fixtures/tiny-models.ts';
import { loadDecoder } from './loading/load-decoder.ts';
import { namedWeights } from './loading/named-weights.ts';
import { BatchBuilder } from './packed-batch.ts';
import { activationBytes, blocksReached } from './trained-blocks.ts';

/** Sees every application of linear layers. */
const observed = vi.hoisted(() => ({
  apply: (_layers: readonly Linear[], _input: Tensor, _outputs: readonly Tensor[]): void => {},
}));
vi.mock('./linear.ts', async (original) => {
  const module = await original<typeof import('./linear.ts')>();
  const applyLinears: typeof module.applyLinears = (layers, input, ...rest) => {
    const outputs = module.applyLinears(layers, input, ...rest);
    observed.apply(layers, input, outputs);
    return outputs;
  };
  return { ...module, applyLinears };
});

setThreads(1);
const families = Object.keys(tinyConfigs);
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-blocks-'));
  for (const name of families) {
    const layers = name === 'gpt2' ? { n_layer: 4 } : { num_hidden_layers: 4 };
    writeTinyModel(join(folder, name), { ...tinyConfigs[name], ...layers });
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function load(
  family: string,
  computeType: 'float32' | 'bfloat16',
  trainable: boolean,
): Promise<LanguageModel> {
  const { decoder } = await loadDecoder(join(folder, family), { computeType, trainable });
  const unused = { tokenizer: null as never, configJson: {}, name: family, hash: async () => '' };
  return new LanguageModel({ ...unused, decoder, device: 'cpu' });
}

const lora = { rank: 2, alpha: 4, targets: 'all-linear', seed: 3 } as const;

function adapt(model: LanguageModel, options: Partial<Parameters<typeof addLora>[2]> = {}) {
  const parameters = addLora(model.decoder, 'policy', { ...lora, ...options });
  manualSeed(4);
  tidy(() => {
    for (const [key, tensor] of parameters)
      if (key.includes('lora_B')) tensor.detach().copy_(randn(tensor.shape).mul(0.2));
  });
  return parameters;
}

/** A prompt with two answers, and a separate sequence. */
function batch() {
  const builder = new BatchBuilder();
  const prompt = builder.add([5, 6, 7, 8]);
  builder.add([9, 10, 11], prompt);
  builder.add([12, 13], prompt);
  builder.add([20, 3, 21, 22, 23]);
  return builder.build();
}
const scored = {
  rows: Int32Array.from([3, 4, 5, 3, 7, 10, 11]),
  targets: Int32Array.from([9, 10, 11, 12, 13, 21, 22]),
};

/** Gradients of two passes, which accumulate. */
function gradientsOf(
  model: LanguageModel,
  parameters: ReadonlyMap<string, Tensor>,
  recomputed: boolean,
): Map<string, number[] | undefined> {
  manualSeed(6);
  for (let pass = 0; pass < 2; pass++) {
    tidy(() => {
      using recomputation = recomputed ? new Recomputation() : null;
      const role = parameters.keys().next().value!.includes('lora_') ? 'policy' : 'reference';
      const { logprobs } = model.as(role, () =>
        model.scoreTokens(batch(), scored, { training: true, recomputation }),
      );
      const loss = logprobs.square().sum();
      if (recomputation === null) loss.backward();
      else recomputation.backward(loss);
    });
  }
  return tidy(() => {
    const found = new Map(
      [...parameters].map(([name, parameter]) => [name, parameter.grad?.toArray()] as const),
    );
    for (const parameter of parameters.values()) parameter.grad = null;
    return found;
  });
}

describe.each(families)('%s with recomputed blocks', (family) => {
  it.each([
    ['LoRA with dropout', 'float32', false],
    ['LoRA with dropout', 'bfloat16', false],
    ['full', 'float32', true],
    ['full', 'bfloat16', true],
  ] as const)('has the same gradients, bit for bit: %s, %s', async (_, type, full) => {
    const outside = await liveMemory();
    const model = await load(family, type, full);
    const parameters = full ? namedWeights(model.decoder) : adapt(model, { dropout: 0.3 });
    const kept = gradientsOf(model, parameters, false);
    const values = [...kept.values()].flatMap((one) => one ?? []);
    expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(1e-3);
    expect(gradientsOf(model, parameters, true)).toEqual(kept);
    model.dispose();
    expect(await liveMemory()).toEqual(outside);
  });
});

describe('an adapter on the last layers', () => {
  /** Whether each linear layer's input and output require a gradient in a training pass. */
  function recorded(model: LanguageModel): { input: boolean; output: boolean }[][] {
    const seen = new Map<Linear, { input: boolean; output: boolean }>();
    observed.apply = (layers, input, outputs) => {
      for (const [i, layer] of layers.entries())
        seen.set(layer, { input: input.requiresGrad, output: outputs[i]!.requiresGrad });
    };
    tidy(() => model.as('policy', () => model.scoreTokens(batch(), scored, { training: true })));
    observed.apply = () => {};
    return model.decoder.weights.blocks.map((block) =>
      linearsOf(block).map((layer) => seen.get(layer)!),
    );
  }
  const [query, output] = [0, 3];

  it('needs no graph in the layers below, and no input gradients in its first projections', async () => {
    const model = await load('llama', 'float32', false);
    const parameters = adapt(model, { layers: [2, 3] });
    expect([...parameters.keys()].every((key) => /layers\.[23]\./.test(key))).toBe(true);
    const [first, second, third, fourth] = recorded(model);
    for (const below of [...first!, ...second!])
      expect(below).toEqual({ input: false, output: false });
    expect(third![query]).toEqual({ input: false, output: true });
    expect(third![output]).toEqual({ input: true, output: true });
    expect(fourth![query]).toEqual({ input: true, output: true });
    expect(gradientsOf(model, parameters, true)).toEqual(gradientsOf(model, parameters, false));
    model.dispose();
  });

  it('on every layer needs no input gradient in the first one', async () => {
    const model = await load('llama', 'float32', false);
    adapt(model);
    const [first] = recorded(model);
    expect(first![query]).toEqual({ input: false, output: true });
    expect(first![output]).toEqual({ input: true, output: true });
    model.dispose();
  });

  it('holds a share of the activations', async () => {
    const model = await load('llama', 'float32', false);
    adapt(model, { layers: [3] });
    expect(blocksReached(model.decoder, 'policy')).toBe(1);
    const last = activationBytes(model.decoder, 'policy');
    adapt2(model);
    expect(blocksReached(model.decoder, 'other')).toBe(4);
    const whole = activationBytes(model.decoder, 'other');
    const ends = 4 * 16 * 4;
    expect(whole.held - ends).toBe(4 * (last.held - ends));
    expect(whole.checkpointed).toBeLessThan(whole.held);
    expect(blocksReached(model.decoder, null)).toBe(0);
    model.dispose();
  });
  const adapt2 = (model: LanguageModel) => addLora(model.decoder, 'other', lora);
});
