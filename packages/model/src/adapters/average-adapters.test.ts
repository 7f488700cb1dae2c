import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory, tidy, withSeed } from '@keel/torch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Decoder } from '../decoder.ts';
import { tinyConfigs, writeTinyModel } from '../loading/fixtures/tiny-models.ts';
import { loadDecoder } from '../loading/load-decoder.ts';
import { disposeDecoder } from '../loading/named-weights.ts';
import { averageAdapters } from './average-adapters.ts';
import { adaptedLayers, adapterParameters, addLora } from './lora.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-average-'));
let decoder: Decoder;
beforeAll(async () => {
  writeTinyModel(folder, tinyConfigs.llama!);
  decoder = (await loadDecoder(folder, { computeType: 'float32' })).decoder;
  // Of different ranks, scales and layers.
  addLora(decoder, 'one', { rank: 3, alpha: 6, targets: ['q_proj', 'down_proj'], seed: 1 });
  addLora(decoder, 'two', { rank: 2, alpha: 1, targets: ['q_proj', 'up_proj'], seed: 2 });
  withSeed(1, () => {
    for (const name of ['one', 'two']) {
      for (const one of adapterParameters(decoder, name).values()) {
        tidy(() => void one.detach().normal_(0, 0.3));
      }
    }
  });
});
afterAll(() => {
  disposeDecoder(decoder);
  rmSync(folder, { recursive: true, force: true });
});

/** By layer, the change of its weight: scale * B A. */
const changes = (name: string): Map<string, number[]> =>
  new Map(
    adaptedLayers(decoder, name).map(({ layer, pair: { a, b, scale } }) => [
      layer.name,
      tidy(() => b.detach().matmul(a.detach()).mul(scale).reshape(-1).toArray() as number[]),
    ]),
  );

it('changes every weight by the mean of what the adapters change', () => {
  averageAdapters(decoder, ['one', 'two'], 'mean');
  const [one, two, mean] = ['one', 'two', 'mean'].map(changes) as Map<string, number[]>[];
  expect(new Set(mean!.keys())).toEqual(new Set([...one!.keys(), ...two!.keys()]));
  expect(mean!.size).toBeGreaterThan(one!.size);
  for (const [layer, values] of mean!) {
    for (const [at, value] of values.entries()) {
      const expected = ((one!.get(layer)?.[at] ?? 0) + (two!.get(layer)?.[at] ?? 0)) / 2;
      expect(value).toBeCloseTo(expected, 6);
    }
  }
  const ranks = adaptedLayers(decoder, 'mean').map(({ pair }) => pair.a.dim(0));
  expect(new Set(ranks)).toEqual(new Set([5, 3, 2]));
});

it('refuses a single adapter, one given twice, one that is not there, and a taken name', () => {
  const before = memory();
  expect(() => averageAdapters(decoder, ['one'], 'x')).toThrow(/two or more/);
  expect(() => averageAdapters(decoder, ['one', 'one'], 'x')).toThrow(/two or more/);
  expect(() => averageAdapters(decoder, ['one', 'nobody'], 'x')).toThrow(/nobody/);
  expect(() => averageAdapters(decoder, ['one', 'two'], 'one')).toThrow(/one/);
  expect(memory()).toEqual(before);
});
